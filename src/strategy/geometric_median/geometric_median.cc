#include "strategy/geometric_median/geometric_median.h"

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "strategy/geometric_median/weiszfeld.h"
#include "strategy/held/holding_fold.h"
#include "strategy/stepwise_mean/stepwise_fold.h"

namespace skein {
namespace {

ParamSchema Schema() {
  return HoldingSchema(
      {{.name = "iterations",
        .type = ParamSpec::Type::kInt,
        .default_value = 3,
        .min = 1,
        .max = 10000,
        .doc = "steps of the smoothed Weiszfeld algorithm, each of which reads all updates once"},
       {.name = "nu",
        .type = ParamSpec::Type::kReal,
        .default_value = 1e-6,
        .min = 1e-30,
        .max = 1e30,
        .doc = "distances below this count as this"},
       {.name = "weights",
        .type = ParamSpec::Type::kString,
        .default_value = "samples",
        .choices = {"samples", "uniform"},
        .doc = "what an update weighs: as many as its samples, or all the same"}});
}

}  // namespace

// The point whose weighted sum of distances to the contributions is the least, by the smoothed
// Weiszfeld algorithm. Distances are of all parameters together.
absl::Status RegisterGeometricMedian(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "geometric-median",
       .summary = "the point with the least distance to the updates (RFA); holds all of them, "
                  "beyond memory_mb in a file",
       .source = "Pillutla et al. 2019, arXiv 1912.13445",
       .schema = Schema()},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        const WeiszfeldRule rule{.iterations = params.Int("iterations"),
                                 .nu = params.Real("nu"),
                                 .by_samples = params.String("weights") == "samples"};
        return MakeStepwiseFold(
            "geometric-median", {.weighs_samples = rule.by_samples},
            [rule](std::span<const uint64_t> samples, std::vector<double> largest) {
              return BeginWeiszfeld(rule, samples, std::move(largest));
            },
            HoldLimitsOf(params));
      });
}

}  // namespace skein
