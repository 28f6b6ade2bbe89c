#include "strategy/filter_max_norm/filter_max_norm.h"

#include <cmath>
#include <string>

#include "strategy/norm.h"

namespace skein {
namespace {

class MaxNormFilter : public UpdateFilter {
 public:
  explicit MaxNormFilter(double limit) : limit_(limit) {}
  absl::StatusOr<PackedTensors> Apply(const UpdateHeader&, PackedTensors update) const override {
    const double norm = NormOf(update);
    if (!(norm <= limit_)) {
      const std::string text = std::isfinite(norm) ? ToJson(Value(norm)) : "not finite";
      return absl::InvalidArgumentError("its norm is " + text + ", filter 'max-norm' allows " +
                                        ToJson(Value(limit_)));
    }
    return update;
  }

 private:
  double limit_;
};

}  // namespace

absl::Status RegisterMaxNormFilter(StrategyRegistries& registries) {
  return registries.filters.Register(
      {.name = "max-norm",
       .summary = "refuses updates whose L2 norm over the parameters exceeds a limit",
       .source = "Sun et al. 2019, arXiv 1911.07963",
       .schema = ParamSchema({{.name = "limit",
                               .type = ParamSpec::Type::kReal,
                               .required = true,
                               .min = 0,
                               .max = 1e30,
                               .doc = "largest norm that is accepted"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const UpdateFilter>> {
        return std::make_shared<MaxNormFilter>(params.Real("limit"));
      });
}

}  // namespace skein
