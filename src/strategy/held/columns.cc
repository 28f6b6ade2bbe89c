#include "strategy/held/columns.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/held/column_sort.h"

namespace skein {
namespace {

// Elements of all updates that are worked on together fit into a cache, or are a cache line of
// each.
constexpr size_t kCachedBytes = size_t{128} << 10;
constexpr size_t kMinWidth = 16;

// Signed numbers in the order of the floats: total, so that it does not matter which of two zeros
// came first, and compared without the floats' special cases. Its own inverse.
int32_t Flip(int32_t bits) { return bits ^ ((bits >> 31) & 0x7fffffff); }

// Half to even, whatever the size of the two.
int64_t MiddleOf(int64_t low, int64_t high) {
  const int64_t floor = (low & high) + ((low ^ high) >> 1);
  const bool half = ((low ^ high) & 1) != 0;
  return half && floor % 2 != 0 ? floor + 1 : floor;
}

class ColumnFinisher {
 public:
  ColumnFinisher(HeldUpdates::View& view, const Manifest& layout, const ColumnRule& rule,
                 const PackedTensors& base, ServerOptimizer& optimizer, BufferPool& buffers)
      : view_(view),
        layout_(layout),
        rule_(rule),
        base_(base),
        optimizer_(optimizer),
        width_(ColumnsAtATime(view.size())),
        memory_(buffers.Take((view.size() * sizeof(int64_t) + 4 * sizeof(double)) * width_)) {}

  void Finish(size_t tensor, std::span<std::byte> out) {
    const TensorInfo& info = base_.manifest()[tensor];
    const uint64_t elements = info.NumElements();
    for (uint64_t at = 0; at < elements; at += width_) {
      const auto count = static_cast<size_t>(std::min<uint64_t>(width_, elements - at));
      if (IsFloat(info.dtype)) {
        FinishFloats(tensor, at, count, out);
      } else {
        FinishIntegers(tensor, at, count, out);
      }
      view_.Passed(layout_.offset(tensor) + (at + count) * SizeOf(layout_[tensor].dtype));
    }
  }

 private:
  // `count` values, the n-th of four such.
  template <typename T>
  std::span<T> Values(size_t n, size_t count) const {
    return {reinterpret_cast<T*>(memory_.get()) + n * width_, count};
  }
  template <typename T>
  Columns<T> ColumnsOf(size_t count) const {
    auto* const values = reinterpret_cast<T*>(memory_.get() + 4 * width_ * sizeof(double));
    return {{values, view_.size() * count}, view_.size(), count};
  }
  std::span<const std::byte> TensorOf(size_t update, size_t tensor) const {
    return view_.bytes(update).subspan(layout_.offset(tensor), layout_[tensor].NumBytes());
  }

  void FinishFloats(size_t tensor, uint64_t at, size_t count, std::span<std::byte> out) {
    const TensorInfo& info = base_.manifest()[tensor];
    const auto columns = ColumnsOf<int32_t>(count);
    for (size_t k = 0; k < columns.rows; ++k) {
      const auto row = columns.row(k);
      std::memcpy(row.data(), TensorOf(k, tensor).data() + at * sizeof(float), row.size_bytes());
    }
    const auto result = Values<double>(0, count);
    if (info.role == TensorRole::kBuffer) {
      rule_.buffers(columns, result);
      return StoreDoubles(info.dtype, result, out, at);
    }
    rule_.parameters(columns, result);
    const auto x = Values<double>(1, count);
    const auto next = Values<double>(2, count);
    LoadDoubles(info.dtype, base_.tensor(tensor), at, x);
    optimizer_.Step(tensor, at, x, result, next);
    StoreDoubles(info.dtype, next, out, at);
  }

  void FinishIntegers(size_t tensor, uint64_t at, size_t count, std::span<std::byte> out) {
    const TensorInfo& info = base_.manifest()[tensor];
    const auto columns = ColumnsOf<int64_t>(count);
    for (size_t k = 0; k < columns.rows; ++k) {
      LoadInts(info.dtype, TensorOf(k, tensor), at, columns.row(k));
    }
    const auto result = Values<int64_t>(0, count);
    rule_.integers(columns, result);
    StoreInts(info.dtype, result, out, at);
  }

  HeldUpdates::View& view_;
  const Manifest& layout_;  // of an update
  const ColumnRule& rule_;
  const PackedTensors& base_;
  ServerOptimizer& optimizer_;
  const size_t width_;  // elements at a time
  const std::shared_ptr<std::byte> memory_;
};

template <typename T, typename Result>
void SortedMedian(const Columns<T>& columns, std::span<Result> out) {
  SortRows(columns);
  MedianOfSorted(columns, out);
}

}  // namespace

void SortRows(const FloatColumns& columns) {
  for (int32_t& value : columns.values) value = Flip(value);
  SortColumns(columns.values, columns.rows, columns.width);
  for (int32_t& value : columns.values) value = Flip(value);
}

void SortRows(const IntegerColumns& columns) {
  SortColumns(columns.values, columns.rows, columns.width);
}

void MedianOfSorted(const FloatColumns& sorted, std::span<double> out) {
  const auto low = sorted.row((sorted.rows - 1) / 2);
  const auto high = sorted.row(sorted.rows / 2);  // the same one if their number is odd
  for (size_t i = 0; i < out.size(); ++i) {
    const double a = FloatOf(low[i]);
    const double b = FloatOf(high[i]);
    out[i] = (a + b) / 2;
  }
}

void MedianOfSorted(const IntegerColumns& sorted, std::span<int64_t> out) {
  const auto low = sorted.row((sorted.rows - 1) / 2);
  const auto high = sorted.row(sorted.rows / 2);
  for (size_t i = 0; i < out.size(); ++i) out[i] = MiddleOf(low[i], high[i]);
}

ColumnRule MedianRule() {
  return {.parameters = SortedMedian<int32_t, double>,
          .buffers = SortedMedian<int32_t, double>,
          .integers = SortedMedian<int64_t, int64_t>};
}

ColumnRule WeightedMeanRule(std::vector<double> weights) {
  ColumnRule rule = MedianRule();
  double total = 0;
  for (const double weight : weights) total += weight;
  rule.parameters = [weights = std::move(weights), total](const FloatColumns& columns,
                                                          std::span<double> out) {
    for (size_t k = 0; k < columns.rows; ++k) {
      const auto row = columns.row(k);
      for (size_t i = 0; i < out.size(); ++i) {
        const double term = weights[k] * static_cast<double>(FloatOf(row[i]));
        out[i] = k == 0 ? term : out[i] + term;  // 0 + -0 would lose the sign
      }
    }
    for (double& value : out) value /= total;
  };
  return rule;
}

absl::StatusOr<PackedTensors> FinishColumns(HeldUpdates::View view, const ColumnRule& rule,
                                            const PackedTensors& base, ServerOptimizer& optimizer,
                                            BufferPool& buffers) {
  SKEIN_ASSIGN_OR_RETURN(const Manifest layout, UpdateManifest(base.manifest()));
  PackedTensors next(base.manifest(), buffers);
  optimizer.BeginStep(base.manifest());
  ColumnFinisher finisher(view, layout, rule, base, optimizer, buffers);
  for (size_t t = 0; t < base.manifest().size(); ++t) finisher.Finish(t, next.mutable_tensor(t));
  return next;
}

size_t ColumnsAtATime(size_t updates) {
  return std::clamp(kCachedBytes / (updates * sizeof(int64_t)), kMinWidth, kFoldChunk);
}

}  // namespace skein
