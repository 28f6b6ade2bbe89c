#include "strategy/mixing/mixing.h"

namespace skein {
namespace {

enum class Divisor { kWeights, kDiscounted, kWorkers };

class MixDeltas : public Mixing {
 public:
  explicit MixDeltas(Divisor divisor) : divisor_(divisor) {}
  bool MixesModels() const override { return false; }
  std::vector<double> Coefficients(std::span<const MixBucket> buckets) const override {
    const bool discounted = divisor_ == Divisor::kDiscounted;
    double divisor = 0;
    double share = 0;
    for (const MixBucket& bucket : buckets) {
      divisor += (discounted ? bucket.staleness_weight : 1) * bucket.total_weight.ToDouble();
      share += bucket.share;
    }
    // What all workers would weigh if they were like these.
    if (divisor_ == Divisor::kWorkers) divisor /= share;
    std::vector<double> shares;
    for (const MixBucket& bucket : buckets) {
      shares.push_back(bucket.staleness_weight * bucket.total_weight.ToDouble() / divisor);
    }
    return shares;
  }

 private:
  const Divisor divisor_;
};

class MixModels : public Mixing {
 public:
  MixModels(double alpha, size_t kept) : alpha_(alpha), kept_(kept) {}
  bool MixesModels() const override { return true; }
  size_t VersionsKept() const override { return kept_; }
  std::vector<double> Coefficients(std::span<const MixBucket> buckets) const override {
    std::vector<double> shares;
    for (const MixBucket& bucket : buckets) shares.push_back(alpha_ * bucket.staleness_weight);
    return shares;
  }

 private:
  const double alpha_;
  const size_t kept_;
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
                               .choices = {"weights", "discounted", "workers"},
                               .doc = "what the discounted sum is divided by: the weights, the "
                                      "discounted weights, or the weights of all workers"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Mixing>> {
        const std::string& divisor = params.String("divisor");
        return std::make_shared<MixDeltas>(divisor == "workers"      ? Divisor::kWorkers
                                           : divisor == "discounted" ? Divisor::kDiscounted
                                                                     : Divisor::kWeights);
      }));
  return registries.mixing.Register(
      {.name = "models",
       .summary = "moves the model by a share of the way to the contributed one",
       .source = "Xie, Koyejo, Gupta 2019, arXiv 1903.03934",
       .schema = ParamSchema({{.name = "alpha",
                               .default_value = 0.6,
                               .min = 1e-9,
                               .max = 1,
                               .doc = "share of the way, when fresh"},
                              {.name = "keep",
                               .type = ParamSpec::Type::kInt,
                               .default_value = 256,
                               .min = 1,
                               .max = 1e6,
                               .doc = "versions in memory for those who train from them"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Mixing>> {
        return std::make_shared<MixModels>(params.Real("alpha"),
                                           static_cast<size_t>(params.Int("keep")));
      });
}

}  // namespace skein
