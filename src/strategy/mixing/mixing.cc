#include "strategy/mixing/mixing.h"

namespace skein {
namespace {

class MixDeltas : public Mixing {
 public:
  explicit MixDeltas(bool discounted) : discounted_(discounted) {}
  bool MixesModels() const override { return false; }
  std::vector<double> Coefficients(std::span<const MixBucket> buckets) const override {
    double divisor = 0;
    for (const MixBucket& bucket : buckets) {
      divisor += (discounted_ ? bucket.staleness_weight : 1) * bucket.total_weight.ToDouble();
    }
    std::vector<double> shares;
    for (const MixBucket& bucket : buckets) {
      shares.push_back(bucket.staleness_weight * bucket.total_weight.ToDouble() / divisor);
    }
    return shares;
  }

 private:
  const bool discounted_;
};

class MixModels : public Mixing {
 public:
  explicit MixModels(double alpha) : alpha_(alpha) {}
  bool MixesModels() const override { return true; }
  std::vector<double> Coefficients(std::span<const MixBucket> buckets) const override {
    std::vector<double> shares;
    for (const MixBucket& bucket : buckets) shares.push_back(alpha_ * bucket.staleness_weight);
    return shares;
  }

 private:
  const double alpha_;
};

}  // namespace

absl::Status RegisterMixing(StrategyRegistries& registries) {
  SKEIN_RETURN_IF_ERROR(registries.mixing.Register(
      {.name = "deltas",
       .summary = "adds the mean of the differences, each discounted by its staleness",
       .source = "Nguyen et al. 2022, arXiv 2106.06639",
       .schema = ParamSchema({{.name = "divisor",
                               .type = ParamSpec::Type::kString,
                               .default_value = "weights",
                               .choices = {"weights", "discounted"},
                               .doc = "what the discounted sum is divided by: the weights, or the "
                                      "discounted weights"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Mixing>> {
        return std::make_shared<MixDeltas>(params.String("divisor") == "discounted");
      }));
  return registries.mixing.Register(
      {.name = "models",
       .summary = "moves the model by a share of the way to the contributed one",
       .source = "Xie, Koyejo, Gupta 2019, arXiv 1903.03934",
       .schema = ParamSchema({{.name = "alpha",
                               .default_value = 0.6,
                               .min = 1e-9,
                               .max = 1,
                               .doc = "share of the way, when fresh"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Mixing>> {
        return std::make_shared<MixModels>(params.Real("alpha"));
      });
}

}  // namespace skein
