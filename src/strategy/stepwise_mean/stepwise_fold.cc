#include "strategy/stepwise_mean/stepwise_fold.h"

#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "strategy/held/columns.h"
#include "strategy/held/distances.h"
#include "strategy/held/holding_fold.h"
#include "strategy/stepwise_mean/stepwise_conductor.h"

namespace skein {
namespace {

// An iterate's elements are worked out again in the pass that needs them.
absl::StatusOr<PackedTensors> FinishStepwise(const BeginStepwiseMean& begin,
                                             const HeldUpdates& updates, const PackedTensors& base,
                                             ServerOptimizer& optimizer, BufferPool& buffers) {
  std::vector<uint64_t> samples;
  for (const HeldFrom& from : updates.From()) samples.push_back(from.samples);
  SKEIN_ASSIGN_OR_RETURN(std::vector<double> largest, LargestAveraged(updates, buffers));
  SKEIN_ASSIGN_OR_RETURN(const auto steps, begin(samples, std::move(largest)));
  while (steps->wants_distances()) {
    SKEIN_ASSIGN_OR_RETURN(const std::vector<double> distances,
                           SquaredDistancesToMean(updates, steps->mean(), buffers));
    steps->Step(distances);
  }
  SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates.Open());
  return FinishColumns(std::move(view), TermMeanRule(steps->mean()), base, optimizer, buffers);
}

}  // namespace

std::shared_ptr<const Fold> MakeStepwiseFold(std::string name, StepwiseTraits traits,
                                             BeginStepwiseMean begin, HoldLimits limits) {
  return MakeHoldingFold(
      {.name = std::move(name),
       .why = "",
       .weighs_samples = traits.weighs_samples,
       .needs_changes = traits.needs_changes,
       .finish =
           [begin](const HeldUpdates& updates, const PackedTensors& base,
                   ServerOptimizer& optimizer, BufferPool& buffers) {
             return FinishStepwise(begin, updates, base, optimizer, buffers);
           },
       .conduct = [begin](const Manifest& update) { return MakeStepwiseConductor(begin, update); }},
      std::move(limits));
}

}  // namespace skein
