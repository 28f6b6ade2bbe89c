#include "strategy/linear/linear_fold.h"

#include "strategy/linear/linear_accumulator.h"

namespace skein {
namespace {

class LinearFold : public Fold {
 public:
  explicit LinearFold(LinearRule rule) : rule_(std::move(rule)) {}
  Composition composition() const override { return Composition::kExact; }
  uint64_t MaxUpdateWeight(uint64_t max_samples) const override {
    return rule_.max_weight(max_samples);
  }
  std::unique_ptr<Accumulator> NewAccumulator(const Manifest& model,
                                              const NumericPlan& plan) const override {
    return std::make_unique<LinearAccumulator>(rule_, model, plan);
  }

 private:
  LinearRule rule_;
};

}  // namespace

std::shared_ptr<const Fold> MakeLinearFold(LinearRule rule) {
  return std::make_shared<LinearFold>(std::move(rule));
}

ParamSchema LinearSchema() {
  return ParamSchema(
      {{.name = "integers",
        .type = ParamSpec::Type::kString,
        .default_value = "max",
        .choices = {"max", "mean"},
        .doc = "integer tensors take the element-wise maximum or the weighted mean"}});
}

IntegerRule IntegerRuleOf(const Params& params) {
  return params.String("integers") == "mean" ? IntegerRule::kMean : IntegerRule::kMaximum;
}

}  // namespace skein
