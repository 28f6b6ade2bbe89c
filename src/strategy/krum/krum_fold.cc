#include "strategy/krum/krum_fold.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "strategy/held/columns.h"
#include "strategy/krum/krum_select.h"

namespace skein {
namespace {

constexpr double kMaxFaulty = 1e5;

}  // namespace

std::shared_ptr<const Fold> MakeKrumFold(HoldingRule names, size_t f,
                                         std::function<size_t(size_t)> selected,
                                         HoldLimits limits) {
  names.finish = [f, selected = std::move(selected)](
                     const HeldUpdates& updates, const PackedTensors& base,
                     ServerOptimizer& optimizer,
                     BufferPool& buffers) -> absl::StatusOr<PackedTensors> {
    SKEIN_ASSIGN_OR_RETURN(const PairDistances distances, SquaredDistances(updates, buffers));
    std::vector<size_t> best = MultiKrumSelect(distances, f, selected(updates.size()));
    std::ranges::sort(best);  // the sum does not depend on who was better
    SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates.Open(best));
    const ColumnRule mean = WeightedMeanRule(std::vector<double>(best.size(), 1));
    return FinishColumns(std::move(view), mean, base, optimizer, buffers);
  };
  return MakeHoldingFold(std::move(names), std::move(limits));
}

ParamSpec FaultyParam() {
  return {.name = "f",
          .type = ParamSpec::Type::kInt,
          .required = true,
          .min = 0,
          .max = kMaxFaulty,
          .doc = "contributions that may be faulty or hostile"};
}

}  // namespace skein
