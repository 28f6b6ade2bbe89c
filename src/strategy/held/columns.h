#ifndef SKEIN_SRC_STRATEGY_HELD_COLUMNS_H_
#define SKEIN_SRC_STRATEGY_HELD_COLUMNS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

#include "strategy/held/held_updates.h"
#include "strategy/held/term_sums.h"

namespace skein {

// Some elements of a tensor as all updates have them: a row of `width` elements for each update, in
// the order of the view.
template <typename T>
struct Columns {
  std::span<T> values;
  size_t rows = 0;
  size_t width = 0;
  std::span<T> row(size_t k) const { return values.subspan(k * width, width); }
};
using FloatColumns = Columns<int32_t>;  // of floats, as their bits
using IntegerColumns = Columns<int64_t>;

inline float FloatOf(int32_t bits) { return std::bit_cast<float>(bits); }

// Sorts every column by itself; of two zeros the negative one is the lower.
void SortRows(const FloatColumns& columns);
void SortRows(const IntegerColumns& columns);
// The median of sorted columns: of an even number, the mean of the two in the middle, for integers
// half to even.
void MedianOfSorted(const FloatColumns& sorted, std::span<double> out);
void MedianOfSorted(const IntegerColumns& sorted, std::span<int64_t> out);

// What a fold makes of the updates' elements, for some columns at a time, whose order it may
// change. Of parameters, the result is the difference that goes to the server optimizer.
struct ColumnRule {
  std::function<void(const FloatColumns&, std::span<double>)> parameters;
  std::function<void(const FloatColumns&, std::span<double>)> buffers;
  std::function<void(const IntegerColumns&, std::span<int64_t>)> integers;  // and bools
};

// The median of everything.
ColumnRule MedianRule();
// Of parameters the mean by these weights, one for each row, of a positive sum; of all else, which
// no distance between updates says anything about, the median.
ColumnRule WeightedMeanRule(std::vector<double> weights);
// The same with a mean made of integer terms.
ColumnRule TermMeanRule(const TermMean& mean);

// The model after `base`, worked out a few elements at a time: beside the result it takes the
// memory of a cache, or a cache line of each update.
absl::StatusOr<PackedTensors> FinishColumns(HeldUpdates::View view, const ColumnRule& rule,
                                            const PackedTensors& base, ServerOptimizer& optimizer,
                                            BufferPool& buffers);

// How many columns of so many updates that is.
size_t ColumnsAtATime(size_t updates);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_HELD_COLUMNS_H_
