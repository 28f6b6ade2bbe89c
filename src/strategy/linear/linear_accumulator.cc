#include "strategy/linear/linear_accumulator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/linear/exact_sum.h"

namespace skein {
namespace {

constexpr size_t kChunk = 4096;

// Calls visit(offset, count) for the pieces of a tensor.
template <typename Visit>
absl::Status ForChunks(uint64_t elements, Visit visit) {
  for (uint64_t at = 0; at < elements; at += kChunk) {
    SKEIN_RETURN_IF_ERROR(
        visit(at, static_cast<size_t>(std::min<uint64_t>(kChunk, elements - at))));
  }
  return absl::OkStatus();
}

absl::Status Bad(const TensorInfo& info, uint64_t index, const std::string& what) {
  return absl::InvalidArgumentError("tensor '" + info.name + "' has " + what + " at index " +
                                    std::to_string(index));
}

// sum / weight, rounded half to even. weight > 0.
int64_t DivideHalfEven(int64_t sum, uint64_t weight) {
  const auto w = static_cast<__int128>(weight);
  __int128 quotient = sum / w;
  __int128 rest = sum % w;
  if (rest < 0) {
    rest += w;
    --quotient;
  }
  if (rest * 2 > w || (rest * 2 == w && quotient % 2 != 0)) ++quotient;
  return static_cast<int64_t>(quotient);
}

class LinearAccumulator : public Accumulator {
 public:
  LinearAccumulator(LinearRule rule, const Manifest& model, const NumericPlan& plan)
      : rule_(std::move(rule)), model_(model), plan_(plan) {}

  absl::Status Add(const UpdateHeader& header, const PackedTensors& update) override {
    SKEIN_RETURN_IF_ERROR(Prepare());
    SKEIN_RETURN_IF_ERROR(update_manifest_.ExpectSame(update.manifest()));
    const uint64_t weight = rule_.weight(header);
    if (weight == 0) return absl::InvalidArgumentError("its weight is 0: no samples");
    if (weight > plan_.max_update_weight) {
      return absl::InvalidArgumentError("its weight is " + std::to_string(weight) +
                                        ", the declared bound is " +
                                        std::to_string(plan_.max_update_weight));
    }
    return AddChecked(update, Fixed128::FromInt(static_cast<int64_t>(weight)));
  }

  absl::Status AddSubtree(const PackedTensors& delta, Fixed128 weight) override {
    SKEIN_RETURN_IF_ERROR(Prepare());
    SKEIN_RETURN_IF_ERROR(update_manifest_.ExpectSame(delta.manifest()));
    return AddChecked(delta, weight);
  }

  absl::Status Merge(const PartialHeader& header, const PackedTensors& sums) override {
    SKEIN_RETURN_IF_ERROR(Prepare());
    SKEIN_RETURN_IF_ERROR(sums_.manifest().ExpectSame(sums.manifest()));
    const double weight = header.total_weight.ToDouble();
    const auto updates = static_cast<double>(header.roster.Count());
    if (!(weight > 0) || weight > updates * static_cast<double>(plan_.max_update_weight)) {
      return absl::InvalidArgumentError("a partial of " + std::to_string(header.roster.Count()) +
                                        " updates cannot weigh " + std::to_string(weight));
    }
    SKEIN_RETURN_IF_ERROR(CheckTotal(header.total_weight));
    for (size_t t = 0; t < model_.size(); ++t)
      SKEIN_RETURN_IF_ERROR(CheckSums(t, weight, updates, sums));
    for (size_t t = 0; t < model_.size(); ++t) {
      uint64_t* acc = Sums(t);
      const auto addends = sums.tensor(t);
      std::vector<int64_t> chunk(kChunk);
      SKEIN_RETURN_IF_ERROR(ForChunks(model_[t].NumElements(), [&](uint64_t at, size_t count) {
        chunk.resize(count);
        LoadInts(DType::kInt64, addends, at, chunk);
        Combine(t, chunk, 1, acc + at);
        return absl::OkStatus();
      }));
    }
    total_weight_ += header.total_weight;
    return absl::OkStatus();
  }

  absl::StatusOr<Partial> TakePartial() override {
    if (!(total_weight_.ToDouble() > 0)) return Empty();
    Partial partial{total_weight_, {}, std::move(sums_)};
    sums_ = {};
    total_weight_ = {};
    return partial;
  }

  absl::StatusOr<PackedTensors> Finish(const PackedTensors& base,
                                       ServerOptimizer& optimizer) override {
    const double weight = total_weight_.ToDouble();
    if (!(weight > 0)) return Empty();
    SKEIN_RETURN_IF_ERROR(model_.ExpectSame(base.manifest()));
    PackedTensors next(model_);
    optimizer.BeginStep(model_);
    for (size_t t = 0; t < model_.size(); ++t) {
      if (IsFloat(model_[t].dtype)) {
        FinishFloats(t, weight, base, optimizer, next);
      } else {
        FinishInts(t, static_cast<uint64_t>(weight), next);
      }
    }
    return next;
  }

  Fixed128 total_weight() const override { return total_weight_; }

 private:
  static absl::Status Empty() {
    return absl::FailedPreconditionError("nothing was added to the aggregation");
  }

  bool UsesMean(size_t t) const {
    return rule_.integers == IntegerRule::kMean && model_[t].dtype != DType::kBool;
  }

  uint64_t* Sums(size_t t) {
    // All elements are int64, so the packed block is aligned throughout.
    return reinterpret_cast<uint64_t*>(sums_.mutable_tensor(t).data());
  }

  // Takes the memory at the first contribution.
  absl::Status Prepare() {
    if (sums_.has_value()) return absl::OkStatus();
    SKEIN_ASSIGN_OR_RETURN(update_manifest_, UpdateManifest(model_));
    SKEIN_ASSIGN_OR_RETURN(Manifest manifest, PartialManifest(model_));
    sums_ = PackedTensors(std::move(manifest));
    for (size_t t = 0; t < model_.size(); ++t) {
      const bool maximum = !IsFloat(model_[t].dtype) && !UsesMean(t);
      const int64_t zero = maximum ? std::numeric_limits<int64_t>::min() : 0;
      std::fill_n(Sums(t), model_[t].NumElements(), static_cast<uint64_t>(zero));
    }
    return absl::OkStatus();
  }

  absl::Status CheckTotal(const Fixed128& more) const {
    Fixed128 total = total_weight_;
    total += more;
    if (total.ToDouble() > static_cast<double>(plan_.max_total_weight)) {
      return absl::InvalidArgumentError("the total weight would exceed its bound, " +
                                        std::to_string(plan_.max_total_weight));
    }
    return absl::OkStatus();
  }

  // The largest integer that may be averaged without a sum leaving 64 bits.
  int64_t IntegerBound() const {
    return std::numeric_limits<int64_t>::max() / 2 /
           static_cast<int64_t>(std::min<uint64_t>(plan_.max_total_weight, INT64_MAX / 2));
  }

  absl::Status AddChecked(const PackedTensors& update, Fixed128 weight) {
    SKEIN_RETURN_IF_ERROR(CheckTotal(weight));
    for (size_t t = 0; t < model_.size(); ++t) SKEIN_RETURN_IF_ERROR(CheckValues(t, update));
    for (size_t t = 0; t < model_.size(); ++t) AddValues(t, update, weight.ToDouble());
    total_weight_ += weight;
    return absl::OkStatus();
  }

  absl::Status CheckValues(size_t t, const PackedTensors& update) const {
    const TensorInfo& info = model_[t];
    const auto tensor = update.tensor(t);
    if (IsFloat(info.dtype)) {
      std::vector<float> chunk(kChunk);
      return ForChunks(info.NumElements(), [&](uint64_t at, size_t count) -> absl::Status {
        chunk.resize(count);
        LoadFloats(tensor, at, chunk);
        const auto bad = FindOutOfBounds(chunk, plan_.scales[t].bound_log2);
        if (!bad) return absl::OkStatus();
        const float value = chunk[*bad];
        return Bad(info, at + *bad,
                   std::isnan(value)   ? "NaN"
                   : std::isinf(value) ? "Inf"
                                       : std::to_string(value) + ", beyond its bound 2^" +
                                             std::to_string(plan_.scales[t].bound_log2) + ",");
      });
    }
    if (!UsesMean(t)) return absl::OkStatus();
    std::vector<int64_t> chunk(kChunk);
    return ForChunks(info.NumElements(), [&](uint64_t at, size_t count) -> absl::Status {
      chunk.resize(count);
      LoadInts(info.dtype, tensor, at, chunk);
      for (size_t i = 0; i < count; ++i) {
        if (chunk[i] > IntegerBound() || chunk[i] < -IntegerBound()) {
          return Bad(info, at + i, std::to_string(chunk[i]) + ", too large to be averaged,");
        }
      }
      return absl::OkStatus();
    });
  }

  void AddValues(size_t t, const PackedTensors& update, double weight) {
    const TensorInfo& info = model_[t];
    const auto tensor = update.tensor(t);
    uint64_t* acc = Sums(t);
    std::vector<float> floats(kChunk);
    std::vector<int64_t> ints(kChunk);
    // Checked above: no error can come from here.
    (void)ForChunks(info.NumElements(), [&](uint64_t at, size_t count) {
      if (!IsFloat(info.dtype)) {
        ints.resize(count);
        LoadInts(info.dtype, tensor, at, ints);
        Combine(t, ints, static_cast<int64_t>(weight), acc + at);
        return absl::OkStatus();
      }
      floats.resize(count);
      LoadFloats(tensor, at, floats);
      if (weight <= static_cast<double>(plan_.max_update_weight)) {
        AccumulateScaled(floats, weight, plan_.scales[t].scale_bits, acc + at);
      } else {
        // A subtree's weight: addends up to 2^62, beyond the fast conversion.
        const double scale = std::ldexp(1.0, plan_.scales[t].scale_bits);
        for (size_t i = 0; i < count; ++i) {
          acc[at + i] += static_cast<uint64_t>(static_cast<int64_t>(
              std::nearbyint(static_cast<double>(floats[i]) * weight * scale)));
        }
      }
      return absl::OkStatus();
    });
  }

  // Ring values and averaged integers add up (times `weight`), others take the maximum.
  void Combine(size_t t, const std::vector<int64_t>& values, int64_t weight, uint64_t* acc) const {
    const bool sum = IsFloat(model_[t].dtype) || UsesMean(t);
    for (size_t i = 0; i < values.size(); ++i) {
      acc[i] = sum ? acc[i] + static_cast<uint64_t>(values[i]) * static_cast<uint64_t>(weight)
                   : static_cast<uint64_t>(std::max(static_cast<int64_t>(acc[i]), values[i]));
    }
  }

  // |sum| <= weight * bound * 2^S, half a unit more for the rounding of each update.
  absl::Status CheckSums(size_t t, double weight, double updates, const PackedTensors& sums) const {
    const TensorInfo& info = model_[t];
    if (!IsFloat(info.dtype) && !UsesMean(t)) return absl::OkStatus();
    const TensorScale& scale = plan_.scales[t];
    const double limit =
        IsFloat(info.dtype)
            ? weight * std::ldexp(1.0, scale.bound_log2 + scale.scale_bits) + updates
            : weight * static_cast<double>(IntegerBound());
    std::vector<int64_t> chunk(kChunk);
    return ForChunks(info.NumElements(), [&](uint64_t at, size_t count) -> absl::Status {
      chunk.resize(count);
      LoadInts(DType::kInt64, sums.tensor(t), at, chunk);
      for (size_t i = 0; i < count; ++i) {
        if (std::abs(static_cast<double>(chunk[i])) > limit) {
          return Bad(info, at + i, "a sum beyond what its weight allows");
        }
      }
      return absl::OkStatus();
    });
  }

  void FinishFloats(size_t t, double weight, const PackedTensors& base, ServerOptimizer& optimizer,
                    PackedTensors& next) {
    const TensorInfo& info = model_[t];
    const double denominator = std::ldexp(1.0, plan_.scales[t].scale_bits) * weight;
    const uint64_t* acc = Sums(t);
    std::vector<double> x(kChunk), mean(kChunk), result(kChunk);
    (void)ForChunks(info.NumElements(), [&](uint64_t at, size_t count) {
      x.resize(count);
      mean.resize(count);
      result.resize(count);
      for (size_t i = 0; i < count; ++i) {
        mean[i] = static_cast<double>(static_cast<int64_t>(acc[at + i])) / denominator;
      }
      if (info.role == TensorRole::kBuffer) {
        StoreDoubles(info.dtype, mean, next.mutable_tensor(t), at);
      } else {
        LoadDoubles(info.dtype, base.tensor(t), at, x);
        optimizer.Step(t, at, x, mean, result);
        StoreDoubles(info.dtype, result, next.mutable_tensor(t), at);
      }
      return absl::OkStatus();
    });
  }

  void FinishInts(size_t t, uint64_t weight, PackedTensors& next) {
    const TensorInfo& info = model_[t];
    const uint64_t* acc = Sums(t);
    std::vector<int64_t> values(kChunk);
    (void)ForChunks(info.NumElements(), [&](uint64_t at, size_t count) {
      values.resize(count);
      for (size_t i = 0; i < count; ++i) {
        const auto sum = static_cast<int64_t>(acc[at + i]);
        values[i] = UsesMean(t) ? DivideHalfEven(sum, weight) : sum;
      }
      StoreInts(info.dtype, values, next.mutable_tensor(t), at);
      return absl::OkStatus();
    });
  }

  const LinearRule rule_;
  const Manifest model_;
  const NumericPlan plan_;
  Manifest update_manifest_;
  PackedTensors sums_;
  Fixed128 total_weight_;
};

class LinearFold : public Fold {
 public:
  explicit LinearFold(LinearRule rule) : rule_(std::move(rule)) {}
  Composition composition() const override { return Composition::kExact; }
  uint64_t MaxUpdateWeight(uint64_t max_samples) const override {
    return rule_.max_weight(max_samples);
  }
  std::unique_ptr<Accumulator> NewAccumulator(const Manifest& model,
                                              const NumericPlan& plan) const override {
    return std::make_unique<LinearAccumulator>(rule_, model, plan);
  }

 private:
  LinearRule rule_;
};

}  // namespace

std::shared_ptr<const Fold> MakeLinearFold(LinearRule rule) {
  return std::make_shared<LinearFold>(std::move(rule));
}

ParamSchema LinearSchema() {
  return ParamSchema(
      {{.name = "integers",
        .type = ParamSpec::Type::kString,
        .default_value = "max",
        .choices = {"max", "mean"},
        .doc = "integer tensors take the element-wise maximum or the weighted mean"}});
}

IntegerRule IntegerRuleOf(const Params& params) {
  return params.String("integers") == "mean" ? IntegerRule::kMean : IntegerRule::kMaximum;
}

}  // namespace skein
