#include "strategy/linear/linear_finish.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "strategy/elements.h"
#include "strategy/linear/integers.h"

namespace skein {
namespace {

double SumOfCoefficients(std::span<const LinearPart> parts) {
  double sum = 0;
  for (const LinearPart& part : parts) sum += part.coefficient;
  return sum;
}

// One tensor of floats, chunk by chunk.
class FloatMixer {
 public:
  FloatMixer(std::span<const LinearPart> parts, const PackedTensors& current, size_t tensor)
      : parts_(parts),
        current_(current),
        tensor_(tensor),
        info_(current.manifest()[tensor]),
        coefficients_(SumOfCoefficients(parts)) {}

  void Finish(ServerOptimizer& optimizer, std::span<std::byte> out) {
    ForChunks<double>(info_, [&](uint64_t at, std::span<double> step) {
      const auto x = std::span(x_).first(step.size());
      const auto next = std::span(next_).first(step.size());
      LoadDoubles(info_.dtype, current_.tensor(tensor_), at, x);
      if (parts_.front().base != nullptr) {
        MixModels(at, x, step);
      } else {
        MixDeltas(at, step);
      }
      if (info_.role == TensorRole::kBuffer) {
        FinishBuffer(x, step);
        return StoreDoubles(info_.dtype, step, out, at);
      }
      if (info_.role == TensorRole::kCompanion) {
        for (size_t i = 0; i < step.size(); ++i) step[i] += x[i];
        return StoreDoubles(info_.dtype, step, out, at);
      }
      optimizer.Step(tensor_, at, x, step, next);
      StoreDoubles(info_.dtype, next, out, at);
    });
  }

 private:
  std::span<const double> MeansOf(const LinearPart& part, uint64_t at, size_t count) {
    const LinearSums& sums = *part.sums;
    const double divisor = info_.role == TensorRole::kParameter
                               ? part.divisor
                               : static_cast<double>(sums.total_weight);
    const double denominator = std::ldexp(divisor, sums.shape.plan().scales[tensor_].scale_bits);
    const auto means = std::span(means_).first(count);
    sums.shape.kernels().means(sums.ring.sums(tensor_) + at, denominator, means);
    return means;
  }

  // Nothing is added to the first, not even 0: that would lose the sign of a negative one.
  void MixDeltas(uint64_t at, std::span<double> step) {
    for (const LinearPart& part : parts_) {
      const auto means = MeansOf(part, at, step.size());
      const bool first = &part == &parts_.front();
      for (size_t i = 0; i < step.size(); ++i) {
        step[i] = first ? part.coefficient * means[i] : step[i] + part.coefficient * means[i];
      }
    }
  }

  // Buffers travel as values, parameters as differences to the part's base.
  void MixModels(uint64_t at, std::span<const double> x, std::span<double> step) {
    const bool values = info_.role == TensorRole::kBuffer;
    const auto base = std::span(base_).first(step.size());
    std::fill(step.begin(), step.end(), 0.0);
    for (const LinearPart& part : parts_) {
      const auto means = MeansOf(part, at, step.size());
      if (values) {
        std::fill(base.begin(), base.end(), 0.0);
      } else {
        LoadDoubles(info_.dtype, part.base->tensor(tensor_), at, base);
      }
      for (size_t i = 0; i < step.size(); ++i) {
        const double model = base[i] + means[i];
        step[i] += part.coefficient * (model - (x[i] + step[i]));
      }
    }
  }

  // The mixture of values as a value.
  void FinishBuffer(std::span<const double> x, std::span<double> step) const {
    const bool models = parts_.front().base != nullptr;
    for (size_t i = 0; i < step.size(); ++i) {
      step[i] = models ? x[i] + step[i] : step[i] / coefficients_;
    }
  }

  const std::span<const LinearPart> parts_;
  const PackedTensors& current_;
  const size_t tensor_;
  const TensorInfo& info_;
  const double coefficients_;
  std::vector<double> x_ = std::vector<double>(kFoldChunk);
  std::vector<double> base_ = std::vector<double>(kFoldChunk);
  std::vector<double> means_ = std::vector<double>(kFoldChunk);
  std::vector<double> next_ = std::vector<double>(kFoldChunk);
};

// The mean of one part is exact; that of several goes through doubles.
int64_t MeanOfIntegers(std::span<const LinearPart> parts, size_t tensor, uint64_t index) {
  const auto sum_of = [&](const LinearPart& part) {
    return static_cast<int64_t>(part.sums->ring.sums(tensor)[index]);
  };
  if (parts.size() == 1) {
    return DivideHalfEven(sum_of(parts[0]), parts[0].sums->total_weight);
  }
  double mean = 0;
  for (const LinearPart& part : parts) {
    mean += part.coefficient * static_cast<double>(sum_of(part)) /
            static_cast<double>(part.sums->total_weight);
  }
  return std::llrint(mean / SumOfCoefficients(parts));
}

int64_t MaximumOfIntegers(std::span<const LinearPart> parts, size_t tensor, uint64_t index) {
  auto maximum = static_cast<int64_t>(parts[0].sums->ring.sums(tensor)[index]);
  for (const LinearPart& part : parts.subspan(1)) {
    maximum = std::max(maximum, static_cast<int64_t>(part.sums->ring.sums(tensor)[index]));
  }
  return maximum;
}

void FinishIntegers(std::span<const LinearPart> parts, size_t tensor, std::span<std::byte> out) {
  const LinearShape& shape = parts[0].sums->shape;
  const TensorInfo& info = shape.model()[tensor];
  const bool mean = shape.RuleOf(tensor) == ElementRule::kIntegerMean;
  ForChunks<int64_t>(info, [&](uint64_t at, std::span<int64_t> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] =
          mean ? MeanOfIntegers(parts, tensor, at + i) : MaximumOfIntegers(parts, tensor, at + i);
    }
    StoreInts(info.dtype, values, out, at);
  });
}

}  // namespace

PackedTensors FinishLinear(std::span<const LinearPart> parts, const PackedTensors& current,
                           ServerOptimizer& optimizer) {
  const LinearShape& shape = parts[0].sums->shape;
  RingSums& ring = parts[0].sums->ring;
  const Manifest& model = shape.model();
  optimizer.BeginStep(model);
  for (size_t t = 0; t < model.size(); ++t) {
    const std::span<std::byte> out = ring.bytes().subspan(model.offset(t), model[t].NumBytes());
    if (shape.RuleOf(t) == ElementRule::kFloat) {
      FloatMixer(parts, current, t).Finish(optimizer, out);
    } else {
      FinishIntegers(parts, t, out);
    }
  }
  return ring.TakeAsModel();
}

}  // namespace skein
