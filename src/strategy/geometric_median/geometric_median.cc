#include "strategy/geometric_median/geometric_median.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "strategy/held/columns.h"
#include "strategy/held/distances.h"
#include "strategy/held/holding_fold.h"

namespace skein {
namespace {

struct Weiszfeld {
  int64_t iterations = 0;
  double nu = 0;
  bool by_samples = true;
};

// Every iterate is a weighted mean of the contributions. So their weights are all that is kept of
// it, and its elements are worked out again in the pass that needs them.
absl::StatusOr<PackedTensors> FinishGeometricMedian(const Weiszfeld& rule,
                                                    const HeldUpdates& updates,
                                                    const PackedTensors& base,
                                                    ServerOptimizer& optimizer,
                                                    BufferPool& buffers) {
  std::vector<double> alpha;
  for (const HeldFrom& from : updates.From()) {
    alpha.push_back(rule.by_samples ? static_cast<double>(from.samples) : 1);
  }
  const double total = std::accumulate(alpha.begin(), alpha.end(), 0.0);
  if (total == 0) {
    return absl::FailedPreconditionError(
        "fold 'geometric-median' weighs by samples, and no contribution has any");
  }
  for (double& value : alpha) value /= total;
  std::vector<double> beta = alpha;
  for (int64_t i = 0; i < rule.iterations; ++i) {
    SKEIN_ASSIGN_OR_RETURN(const std::vector<double> distances,
                           SquaredDistancesToMean(updates, beta, buffers));
    for (size_t k = 0; k < beta.size(); ++k) {
      beta[k] = alpha[k] / std::max(rule.nu, std::sqrt(distances[k]));
    }
  }
  SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates.Open());
  return FinishColumns(std::move(view), WeightedMeanRule(std::move(beta)), base, optimizer,
                       buffers);
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
        const Weiszfeld rule{.iterations = params.Int("iterations"),
                             .nu = params.Real("nu"),
                             .by_samples = params.String("weights") == "samples"};
        return MakeHoldingFold({.name = "geometric-median",
                                .why = "",
                                .weighs_samples = rule.by_samples,
                                .finish =
                                    [rule](const HeldUpdates& updates, const PackedTensors& base,
                                           ServerOptimizer& optimizer, BufferPool& buffers) {
                                      return FinishGeometricMedian(rule, updates, base, optimizer,
                                                                   buffers);
                                    }},
                               HoldLimitsOf(params));
      });
}

}  // namespace skein
