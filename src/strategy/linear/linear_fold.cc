#include "strategy/linear/linear_fold.h"

#include "strategy/linear/linear_accumulator.h"
#include "strategy/linear/linear_checks.h"

namespace skein {
namespace {

class LinearFold : public Fold {
 public:
  LinearFold(LinearRule rule, const LinearEngine& engine)
      : rule_(std::move(rule)), engine_(engine) {}
  Composition composition() const override { return Composition::kExact; }
  uint64_t MaxUpdateWeight(uint64_t max_samples) const override {
    return rule_.max_weight(max_samples);
  }
  double MinBound() const override { return rule_.options.min_bound; }
  bool NeedsChanges() const override { return rule_.scaling != nullptr; }
  double LongestUpdate() const override {
    return rule_.scaling != nullptr ? rule_.scaling->LongestUpdate() : Fold::LongestUpdate();
  }
  bool NeedsInitialLoss() const override {
    return rule_.scaling != nullptr && rule_.scaling->NeedsInitialLoss();
  }
  // A subtree's own local rounds say nothing of what the scalars add up.
  bool TakesSubtrees() const override {
    return rule_.scaling == nullptr || rule_.scaling->ScalarNames().empty();
  }
  using Fold::NewAccumulator;
  std::unique_ptr<Accumulator> NewAccumulator(const Manifest& model, const NumericPlan& plan,
                                              std::shared_ptr<BufferPool> buffers) const override {
    return std::make_unique<LinearAccumulator>(rule_, model, plan, engine_, std::move(buffers));
  }
  absl::StatusOr<PackedTensors> Mix(const PackedTensors& current, std::span<const MixPart> parts,
                                    ServerOptimizer& optimizer) const override {
    if (parts.empty()) return absl::FailedPreconditionError("there is nothing to mix");
    return LinearAccumulator::Mix(current, parts, optimizer);
  }

 private:
  LinearRule rule_;
  LinearEngine engine_;
};

}  // namespace

std::shared_ptr<const Fold> MakeLinearFold(LinearRule rule, const LinearEngine& engine) {
  return std::make_shared<LinearFold>(std::move(rule), engine);
}

ParamSchema LinearSchema() {
  return ParamSchema(
      {{.name = "integers",
        .type = ParamSpec::Type::kString,
        .default_value = "max",
        .choices = {"max", "mean"},
        .doc = "integer tensors take the element-wise maximum or the weighted mean"},
       {.name = "bound",
        .type = ParamSpec::Type::kReal,
        .default_value = 1.0,
        .min = 1,
        .max = kLargestBound,
        .doc = "changes of float parameters up to this are accepted, more where the initial model "
               "has larger values; sums are exact to 2^-50 of it"}});
}

LinearOptions LinearOptionsOf(const Params& params) {
  return {
      .integers = params.String("integers") == "mean" ? IntegerRule::kMean : IntegerRule::kMaximum,
      .min_bound = params.Real("bound")};
}

}  // namespace skein
