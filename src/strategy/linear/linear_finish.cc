#include "strategy/linear/linear_finish.h"

#include <cmath>
#include <span>
#include <vector>

#include "strategy/elements.h"
#include "strategy/linear/integers.h"

namespace skein {
namespace {

void FinishFloats(const LinearSums& sums, size_t tensor, const PackedTensors& base,
                  ServerOptimizer& optimizer, std::span<std::byte> out) {
  const TensorInfo& info = sums.shape.model()[tensor];
  const double denominator = std::ldexp(static_cast<double>(sums.total_weight),
                                        sums.shape.plan().scales[tensor].scale_bits);
  const uint64_t* row = sums.ring.sums(tensor);
  std::vector<double> x(kFoldChunk), stepped(kFoldChunk);
  ForChunks<double>(info, [&](uint64_t at, std::span<double> mean) {
    sums.shape.kernels().means(row + at, denominator, mean);
    if (info.role == TensorRole::kBuffer) return StoreDoubles(info.dtype, mean, out, at);
    const auto from = std::span(x).first(mean.size());
    const auto to = std::span(stepped).first(mean.size());
    LoadDoubles(info.dtype, base.tensor(tensor), at, from);
    optimizer.Step(tensor, at, from, mean, to);
    StoreDoubles(info.dtype, to, out, at);
  });
}

void FinishIntegers(const LinearSums& sums, size_t tensor, std::span<std::byte> out) {
  const TensorInfo& info = sums.shape.model()[tensor];
  const bool mean = sums.shape.RuleOf(tensor) == ElementRule::kIntegerMean;
  const uint64_t* row = sums.ring.sums(tensor);
  ForChunks<int64_t>(info, [&](uint64_t at, std::span<int64_t> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      const auto sum = static_cast<int64_t>(row[at + i]);
      values[i] = mean ? DivideHalfEven(sum, sums.total_weight) : sum;
    }
    StoreInts(info.dtype, values, out, at);
  });
}

}  // namespace

PackedTensors FinishLinear(const LinearSums& sums, const PackedTensors& base,
                           ServerOptimizer& optimizer, BufferPool& buffers) {
  const Manifest& model = sums.shape.model();
  PackedTensors next(model, buffers);
  optimizer.BeginStep(model);
  for (size_t t = 0; t < model.size(); ++t) {
    if (sums.shape.RuleOf(t) == ElementRule::kFloat) {
      FinishFloats(sums, t, base, optimizer, next.mutable_tensor(t));
    } else {
      FinishIntegers(sums, t, next.mutable_tensor(t));
    }
  }
  return next;
}

}  // namespace skein
