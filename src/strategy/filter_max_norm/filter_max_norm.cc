#include "strategy/filter_max_norm/filter_max_norm.h"

#include <cmath>
#include <string>

#include "strategy/elements.h"

namespace skein {
namespace {

// L2 norm over the float parameters of an update, taken together.
double NormOf(const PackedTensors& update) {
  double squares = 0;
  for (size_t t = 0; t < update.manifest().size(); ++t) {
    const TensorInfo& info = update.manifest()[t];
    if (!IsFloat(info.dtype) || info.role == TensorRole::kBuffer) continue;
    ForChunks<double>(info, [&](uint64_t at, std::span<double> values) {
      LoadDoubles(info.dtype, update.tensor(t), at, values);
      for (const double v : values) squares += v * v;
    });
  }
  return std::sqrt(squares);
}

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
