#include "strategy/median/median_finish.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/median/column_sort.h"

namespace skein {
namespace {

// Elements of all updates that are sorted together fit into a cache, or are a cache line of each.
constexpr size_t kSortedBytes = size_t{128} << 10;
constexpr size_t kMinWidth = 16;

// Signed numbers in the order of the floats: total, so that it does not matter which of two zeros
// came first, and compared without the floats' special cases. Its own inverse.
int32_t Flip(int32_t bits) { return bits ^ ((bits >> 31) & 0x7fffffff); }

float FloatOf(int32_t key) { return std::bit_cast<float>(Flip(key)); }

// Half to even, whatever the size of the two.
int64_t MiddleOf(int64_t low, int64_t high) {
  const int64_t floor = (low & high) + ((low ^ high) >> 1);
  const bool half = ((low ^ high) & 1) != 0;
  return half && floor % 2 != 0 ? floor + 1 : floor;
}

class MedianFinisher {
 public:
  MedianFinisher(HeldUpdates::View& updates, const Manifest& layout, const PackedTensors& base,
                 ServerOptimizer& optimizer, BufferPool& buffers)
      : updates_(updates),
        layout_(layout),
        base_(base),
        optimizer_(optimizer),
        width_(
            std::clamp(kSortedBytes / (updates.size() * sizeof(int64_t)), kMinWidth, kFoldChunk)),
        memory_(buffers.Take((updates.size() * sizeof(int64_t) + 4 * sizeof(double)) * width_)) {}

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
      updates_.Passed(layout_.offset(tensor) + (at + count) * SizeOf(layout_[tensor].dtype));
    }
  }

 private:
  // `count` values, the n-th of four such.
  std::span<double> Doubles(size_t n, size_t count) const {
    return {reinterpret_cast<double*>(memory_.get()) + n * width_, count};
  }
  template <typename T>
  std::span<T> Rows(size_t count) const {
    return {reinterpret_cast<T*>(memory_.get() + 4 * width_ * sizeof(double)),
            updates_.size() * count};
  }
  std::span<const std::byte> TensorOf(size_t update, size_t tensor) const {
    return updates_.bytes(update).subspan(layout_.offset(tensor), layout_[tensor].NumBytes());
  }
  // The rows in the middle: the same one twice if their number is odd.
  template <typename T>
  std::pair<std::span<T>, std::span<T>> Middle(std::span<T> rows, size_t count) const {
    return {rows.subspan((updates_.size() - 1) / 2 * count, count),
            rows.subspan(updates_.size() / 2 * count, count)};
  }

  void FinishFloats(size_t tensor, uint64_t at, size_t count, std::span<std::byte> out) {
    const TensorInfo& info = base_.manifest()[tensor];
    const auto rows = Rows<int32_t>(count);
    for (size_t k = 0; k < updates_.size(); ++k) {
      const auto row = rows.subspan(k * count, count);
      std::memcpy(row.data(), TensorOf(k, tensor).data() + at * sizeof(float), row.size_bytes());
      for (int32_t& value : row) value = Flip(value);
    }
    SortColumns(rows, updates_.size(), count);
    const auto [low, high] = Middle(rows, count);
    const auto median = Doubles(0, count);
    for (size_t i = 0; i < count; ++i) {
      const double a = FloatOf(low[i]);
      const double b = FloatOf(high[i]);
      median[i] = (a + b) / 2;
    }
    if (info.role == TensorRole::kBuffer) return StoreDoubles(info.dtype, median, out, at);
    const auto x = Doubles(1, count);
    const auto next = Doubles(2, count);
    LoadDoubles(info.dtype, base_.tensor(tensor), at, x);
    optimizer_.Step(tensor, at, x, median, next);
    StoreDoubles(info.dtype, next, out, at);
  }

  void FinishIntegers(size_t tensor, uint64_t at, size_t count, std::span<std::byte> out) {
    const TensorInfo& info = base_.manifest()[tensor];
    const auto rows = Rows<int64_t>(count);
    for (size_t k = 0; k < updates_.size(); ++k) {
      LoadInts(info.dtype, TensorOf(k, tensor), at, rows.subspan(k * count, count));
    }
    SortColumns(rows, updates_.size(), count);
    const auto [low, high] = Middle(rows, count);
    for (size_t i = 0; i < count; ++i) low[i] = MiddleOf(low[i], high[i]);
    StoreInts(info.dtype, low, out, at);
  }

  HeldUpdates::View& updates_;
  const Manifest& layout_;  // of an update
  const PackedTensors& base_;
  ServerOptimizer& optimizer_;
  const size_t width_;  // elements at a time
  const std::shared_ptr<std::byte> memory_;
};

}  // namespace

absl::StatusOr<PackedTensors> FinishMedian(const HeldUpdates& updates, const PackedTensors& base,
                                           ServerOptimizer& optimizer, BufferPool& buffers) {
  SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates.Open());
  PackedTensors next(base.manifest(), buffers);
  optimizer.BeginStep(base.manifest());
  MedianFinisher finisher(view, updates.layout(), base, optimizer, buffers);
  for (size_t t = 0; t < base.manifest().size(); ++t) finisher.Finish(t, next.mutable_tensor(t));
  return next;
}

}  // namespace skein
