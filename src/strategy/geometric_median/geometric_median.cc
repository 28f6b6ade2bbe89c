#include "strategy/geometric_median/geometric_median.h"

#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "strategy/geometric_median/weiszfeld.h"
#include "strategy/geometric_median/weiszfeld_conductor.h"
#include "strategy/held/columns.h"
#include "strategy/held/distances.h"
#include "strategy/held/holding_fold.h"

namespace skein {
namespace {

// Its elements are worked out again in the pass that needs them.
absl::StatusOr<PackedTensors> FinishGeometricMedian(const WeiszfeldRule& rule,
                                                    const HeldUpdates& updates,
                                                    const PackedTensors& base,
                                                    ServerOptimizer& optimizer,
                                                    BufferPool& buffers) {
  std::vector<uint64_t> samples;
  for (const HeldFrom& from : updates.From()) samples.push_back(from.samples);
  SKEIN_ASSIGN_OR_RETURN(std::vector<double> largest, LargestAveraged(updates, buffers));
  SKEIN_ASSIGN_OR_RETURN(Weiszfeld steps, Weiszfeld::Begin(rule, samples, std::move(largest)));
  while (steps.wants_distances()) {
    SKEIN_ASSIGN_OR_RETURN(
        const std::vector<double> distances,
        SquaredDistancesToMean(updates, steps.weights(), steps.scale_bits(), buffers));
    steps.Step(distances);
  }
  SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates.Open());
  return FinishColumns(std::move(view), TermMeanRule(steps.weights(), steps.scale_bits()), base,
                       optimizer, buffers);
}

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
// Weiszfeld algorithm (Pillutla et al. 2019, Algorithm 2): v0 = sum alpha_i w_i, then
// beta_i = alpha_i / max(nu, |v - w_i|) and v = sum beta_i w_i / sum beta_i. Distances are of all
// parameters together.
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
        return MakeHoldingFold(
            {.name = "geometric-median",
             .why = "",
             .weighs_samples = rule.by_samples,
             .finish =
                 [rule](const HeldUpdates& updates, const PackedTensors& base,
                        ServerOptimizer& optimizer, BufferPool& buffers) {
                   return FinishGeometricMedian(rule, updates, base, optimizer, buffers);
                 },
             .conduct =
                 [rule](const Manifest& update) { return MakeWeiszfeldConductor(rule, update); }},
            HoldLimitsOf(params));
      });
}

}  // namespace skein
