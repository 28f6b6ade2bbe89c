#include "strategy/median/median.h"

#include "skein/base/status.h"
#include "strategy/held/columns.h"
#include "strategy/held/holding_fold.h"
#include "strategy/passes/order_conductor.h"

namespace skein {
namespace {

absl::StatusOr<PackedTensors> FinishMedian(const HeldUpdates& updates, const PackedTensors& base,
                                           ServerOptimizer& optimizer, BufferPool& buffers) {
  SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates.Open());
  return FinishColumns(std::move(view), MedianRule(), base, optimizer, buffers);
}

}  // namespace

// Of each coordinate by itself. Samples do not weigh: a worker may say what it likes of them.
absl::Status RegisterMedian(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "median",
       .summary = "median of each element over the updates, whatever their samples; holds all of "
                  "them, beyond memory_mb in a file",
       .source = "Yin et al. 2018, arXiv 1803.01498",
       .schema = HoldingSchema()},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        return MakeHoldingFold(
            {.name = "median", .why = "", .finish = FinishMedian, .conduct = MakeMedianConductor},
            HoldLimitsOf(params));
      });
}

}  // namespace skein
