#include "strategy/bulyan/bulyan.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "strategy/held/columns.h"
#include "strategy/krum/krum_fold.h"
#include "strategy/krum/krum_select.h"

namespace skein {
namespace {

// The mean of the `count` values of each column that are nearest to its median. Sorted, they lie
// side by side; of two that are as far away the lower one stays.
void MeanAroundMedian(const FloatColumns& columns, size_t count, std::span<double> out) {
  SortRows(columns);
  MedianOfSorted(columns, out);
  for (size_t i = 0; i < out.size(); ++i) {
    const auto value = [&](size_t k) { return static_cast<double>(FloatOf(columns.row(k)[i])); };
    size_t low = 0;
    size_t high = columns.rows;
    while (high - low > count) {
      if (out[i] - value(low) > value(high - 1) - out[i]) {
        ++low;
      } else {
        --high;
      }
    }
    double sum = value(low);
    for (size_t k = low + 1; k < high; ++k) sum += value(k);
    out[i] = sum / static_cast<double>(count);
  }
}

absl::StatusOr<PackedTensors> FinishBulyan(size_t f, const HeldUpdates& updates,
                                           const PackedTensors& base, ServerOptimizer& optimizer,
                                           BufferPool& buffers) {
  SKEIN_ASSIGN_OR_RETURN(const PairDistances distances, SquaredDistances(updates, buffers));
  const size_t selected = updates.size() - 2 * f;
  std::vector<size_t> which = RepeatedKrumSelect(distances, f, selected);
  std::ranges::sort(which);
  SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates.Open(which));
  ColumnRule rule = MedianRule();
  rule.parameters = rule.buffers = [count = selected - 2 * f](const FloatColumns& columns,
                                                              std::span<double> out) {
    MeanAroundMedian(columns, count, out);
  };
  return FinishColumns(std::move(view), rule, base, optimizer, buffers);
}

}  // namespace

// Krum takes n - 2f contributions, one after another, each from those that are left. Of each
// element, the mean of the n - 4f values nearest to their median (El Mhamdi et al. 2018, section
// 4).
absl::Status RegisterBulyan(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "bulyan",
       .summary = "of the updates that krum takes again and again, mean of the values around the "
                  "median; holds all of them, beyond memory_mb in a file",
       .source = "El Mhamdi et al. 2018, arXiv 1802.07927",
       .schema = HoldingSchema({FaultyParam()})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        const int64_t f = params.Int("f");
        return MakeHoldingFold({.name = "bulyan",
                                .min_contributions = static_cast<int>(4 * f + 3),
                                .why = "4f + 3 with f = " + std::to_string(f),
                                .finish =
                                    [f](const HeldUpdates& updates, const PackedTensors& base,
                                        ServerOptimizer& optimizer, BufferPool& buffers) {
                                      return FinishBulyan(static_cast<size_t>(f), updates, base,
                                                          optimizer, buffers);
                                    }},
                               HoldLimitsOf(params));
      });
}

}  // namespace skein
