#include "strategy/held/columns.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/held/column_sort.h"
#include "strategy/held/step_writer.h"
#include "strategy/held/term_sums.h"
#include "strategy/held/value_order.h"

namespace skein {
namespace {

// Elements of all updates that are worked on together fit into a cache, or are a cache line of
// each.
constexpr size_t kCachedBytes = size_t{128} << 10;
constexpr size_t kMinWidth = 16;

class ColumnFinisher {
 public:
  ColumnFinisher(HeldUpdates::View& view, const Manifest& layout, const ColumnRule& rule,
                 StepWriter& step, BufferPool& buffers)
      : view_(view),
        layout_(layout),
        rule_(rule),
        step_(step),
        width_(ColumnsAtATime(view.size())),
        memory_(buffers.Take((view.size() + 1) * sizeof(int64_t) * width_)) {}

  void Finish(size_t tensor) {
    const TensorInfo& info = layout_[tensor];
    const uint64_t elements = info.NumElements();
    for (uint64_t at = 0; at < elements; at += width_) {
      const auto count = static_cast<size_t>(std::min<uint64_t>(width_, elements - at));
      if (IsFloat(info.dtype)) {
        FinishFloats(tensor, at, count);
      } else {
        FinishIntegers(tensor, at, count);
      }
      view_.Passed(layout_.offset(tensor) + (at + count) * SizeOf(layout_[tensor].dtype));
    }
  }

 private:
  // What the rule makes of them.
  template <typename T>
  std::span<T> Result(size_t count) const {
    return {reinterpret_cast<T*>(memory_.get()), count};
  }
  template <typename T>
  Columns<T> ColumnsOf(size_t count) const {
    auto* const values = reinterpret_cast<T*>(memory_.get() + width_ * sizeof(double));
    return {{values, view_.size() * count}, view_.size(), count};
  }
  std::span<const std::byte> TensorOf(size_t update, size_t tensor) const {
    return view_.bytes(update).subspan(layout_.offset(tensor), layout_[tensor].NumBytes());
  }

  void FinishFloats(size_t tensor, uint64_t at, size_t count) {
    const auto columns = ColumnsOf<int32_t>(count);
    for (size_t k = 0; k < columns.rows; ++k) {
      const auto row = columns.row(k);
      std::memcpy(row.data(), TensorOf(k, tensor).data() + at * sizeof(float), row.size_bytes());
    }
    const auto result = Result<double>(count);
    const bool buffer = layout_[tensor].role == TensorRole::kBuffer;
    (buffer ? rule_.buffers : rule_.parameters)(columns, result);
    step_.Floats(tensor, at, result);
  }

  void FinishIntegers(size_t tensor, uint64_t at, size_t count) {
    const auto columns = ColumnsOf<int64_t>(count);
    for (size_t k = 0; k < columns.rows; ++k) {
      LoadInts(layout_[tensor].dtype, TensorOf(k, tensor), at, columns.row(k));
    }
    const auto result = Result<int64_t>(count);
    rule_.integers(columns, result);
    step_.Integers(tensor, at, result);
  }

  HeldUpdates::View& view_;
  const Manifest& layout_;  // of an update
  const ColumnRule& rule_;
  StepWriter& step_;
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
  for (int32_t& value : columns.values) value = InOrder(value);
  SortColumns(columns.values, columns.rows, columns.width);
  for (int32_t& value : columns.values) value = InOrder(value);
}

void SortRows(const IntegerColumns& columns) {
  SortColumns(columns.values, columns.rows, columns.width);
}

void MedianOfSorted(const FloatColumns& sorted, std::span<double> out) {
  const auto low = sorted.row((sorted.rows - 1) / 2);
  const auto high = sorted.row(sorted.rows / 2);  // the same one if their number is odd
  for (size_t i = 0; i < out.size(); ++i) out[i] = MiddleOf(FloatOf(low[i]), FloatOf(high[i]));
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

ColumnRule TermMeanRule(const TermMean& mean) {
  ColumnRule rule = MedianRule();
  const double unit = std::ldexp(1.0, -mean.scale_bits);
  std::vector<double> factors;
  for (const double weight : mean.weights) factors.push_back(std::ldexp(weight, mean.scale_bits));
  rule.parameters = [factors = std::move(factors), total = mean.total, unit](
                        const FloatColumns& columns, std::span<double> out) {
    std::vector<int64_t> sums(out.size());
    for (size_t k = 0; k < columns.rows; ++k) AddTerms(columns.row(k), factors[k], sums);
    for (size_t i = 0; i < out.size(); ++i) out[i] = MeanOfTerms(sums[i], unit, total);
  };
  return rule;
}

absl::StatusOr<PackedTensors> FinishColumns(HeldUpdates::View view, const ColumnRule& rule,
                                            const PackedTensors& base, ServerOptimizer& optimizer,
                                            BufferPool& buffers) {
  SKEIN_ASSIGN_OR_RETURN(const Manifest layout, UpdateManifest(base.manifest()));
  StepWriter step(base, optimizer, buffers);
  ColumnFinisher finisher(view, layout, rule, step, buffers);
  for (size_t t = 0; t < layout.size(); ++t) finisher.Finish(t);
  return step.Take();
}

size_t ColumnsAtATime(size_t updates) {
  return std::clamp(kCachedBytes / (updates * sizeof(int64_t)), kMinWidth, kFoldChunk);
}

}  // namespace skein
