#include "strategy/centered_clipping/centered_clipping.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "strategy/held/holding_fold.h"
#include "strategy/stepwise_mean/stepwise_fold.h"

namespace skein {
namespace {

// v <- v + 1/n sum (w_i - v) min(1, clip / |w_i - v|) (Karimireddy et al. 2021, arXiv 2012.10333,
// section 4). From 0, where contributions are differences to a model, every iterate is a weighted
// sum of them: with c_i = min(1, clip / |w_i - v|) / n, all weights shrink by 1 - sum c_i and c_i
// is added to that of w_i.
class CenteredClipping : public StepwiseMean {
 public:
  CenteredClipping(double clip, int64_t iterations, size_t contributions,
                   std::vector<double> largest)
      : StepwiseMean(iterations, std::move(largest)), clip_(clip) {
    Become(std::vector<double>(contributions, 0), 1);
  }

 private:
  void Reweigh(std::span<const double> distances) override {
    std::vector<double> weights = mean().weights;
    const auto n = static_cast<double>(weights.size());
    std::vector<double> added;
    double shrunk = 1;
    for (const double distance : distances) {
      added.push_back((distance > clip_ ? clip_ / distance : 1) / n);
      shrunk -= added.back();
    }
    for (size_t k = 0; k < weights.size(); ++k) {
      weights[k] = weights[k] * std::max(0.0, shrunk) + added[k];
    }
    Become(std::move(weights), 1);
  }

  const double clip_;
};

ParamSchema Schema() {
  return HoldingSchema(
      {{.name = "clip",
        .type = ParamSpec::Type::kReal,
        .required = true,
        .min = 1e-30,
        .max = 1e30,
        .doc = "what is further than this from the center counts as if it were as far"},
       {.name = "iterations",
        .type = ParamSpec::Type::kInt,
        .default_value = 3,
        .min = 1,
        .max = 10000,
        .doc = "steps of the center, which begins at 0; each reads all updates once"}});
}

}  // namespace

absl::Status RegisterCenteredClipping(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "centered-clipping",
       .summary =
           "mean of the updates, each drawn to within a distance of the center; holds all of "
           "them, beyond memory_mb in a file",
       .source = "Karimireddy et al. 2021, arXiv 2012.10333",
       .schema = Schema()},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        const double clip = params.Real("clip");
        const int64_t iterations = params.Int("iterations");
        return MakeStepwiseFold(
            "centered-clipping", {.needs_changes = true},
            [clip, iterations](std::span<const uint64_t> samples, std::vector<double> largest)
                -> absl::StatusOr<std::unique_ptr<StepwiseMean>> {
              return std::make_unique<CenteredClipping>(clip, iterations, samples.size(),
                                                        std::move(largest));
            },
            HoldLimitsOf(params));
      });
}

}  // namespace skein
