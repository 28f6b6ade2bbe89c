#include "strategy/linear/linear_accumulator.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/linear/exact_sum.h"
#include "strategy/linear/linear_checks.h"

namespace skein {
namespace {

absl::Status Empty() {
  return absl::FailedPreconditionError("nothing was added to the aggregation");
}

void CombineIntegers(std::span<const int64_t> values, bool maximum, int64_t weight, uint64_t* acc) {
  for (size_t i = 0; i < values.size(); ++i) {
    acc[i] = maximum ? static_cast<uint64_t>(std::max(static_cast<int64_t>(acc[i]), values[i]))
                     : acc[i] + static_cast<uint64_t>(values[i]) * static_cast<uint64_t>(weight);
  }
}

}  // namespace

LinearAccumulator::LinearAccumulator(LinearRule rule, const Manifest& model,
                                     const NumericPlan& plan)
    : rule_(std::move(rule)),
      model_(model),
      plan_(plan),
      max_total_weight_(
          static_cast<int64_t>(std::clamp<uint64_t>(plan.max_total_weight, 1, INT64_MAX))) {}

LinearAccumulator::Kind LinearAccumulator::KindOf(size_t tensor) const {
  const DType dtype = model_[tensor].dtype;
  if (IsFloat(dtype)) return Kind::kFloat;
  const bool mean = rule_.options.integers == IntegerRule::kMean && dtype != DType::kBool;
  return mean ? Kind::kIntegerMean : Kind::kIntegerMax;
}

uint64_t* LinearAccumulator::Sums(size_t tensor) {
  // All elements are int64, so the packed block is aligned throughout.
  return reinterpret_cast<uint64_t*>(sums_.mutable_tensor(tensor).data());
}

absl::Status LinearAccumulator::Add(const UpdateHeader& header, const PackedTensors& update) {
  const uint64_t weight = rule_.weight(header);
  if (weight == 0) return absl::InvalidArgumentError("its weight is 0: no samples");
  if (weight > plan_.max_update_weight) {
    return absl::InvalidArgumentError("its weight is " + std::to_string(weight) +
                                      ", the declared bound is " +
                                      std::to_string(plan_.max_update_weight));
  }
  return AddSubtree(update, Fixed128::FromInt(static_cast<int64_t>(weight)));
}

absl::Status LinearAccumulator::AddSubtree(const PackedTensors& delta, Fixed128 weight) {
  SKEIN_ASSIGN_OR_RETURN(const int64_t whole, WholeWeight(weight));
  SKEIN_RETURN_IF_ERROR(CheckPlan());
  SKEIN_RETURN_IF_ERROR(CheckTotal(whole));
  SKEIN_RETURN_IF_ERROR(CheckUpdate(delta));
  SKEIN_RETURN_IF_ERROR(Prepare());
  for (size_t t = 0; t < model_.size(); ++t) AddValues(t, delta, whole);
  total_weight_ += whole;
  return absl::OkStatus();
}

absl::Status LinearAccumulator::Merge(const PartialHeader& header, const PackedTensors& sums) {
  SKEIN_ASSIGN_OR_RETURN(const int64_t weight, WholeWeight(header.total_weight));
  SKEIN_RETURN_IF_ERROR(CheckPlan());
  const size_t updates = header.roster.Count();
  if (static_cast<unsigned __int128>(weight) >
      static_cast<unsigned __int128>(updates) * plan_.max_update_weight) {
    return absl::InvalidArgumentError("a partial of " + std::to_string(updates) +
                                      " updates cannot weigh " + std::to_string(weight));
  }
  SKEIN_RETURN_IF_ERROR(CheckTotal(weight));
  SKEIN_ASSIGN_OR_RETURN(const Manifest manifest, PartialManifest(model_));
  SKEIN_RETURN_IF_ERROR(manifest.ExpectSame(sums.manifest()));
  for (size_t t = 0; t < model_.size(); ++t) {
    SKEIN_RETURN_IF_ERROR(CheckSums(t, weight, updates, sums));
  }
  SKEIN_RETURN_IF_ERROR(Prepare());
  for (size_t t = 0; t < model_.size(); ++t) MergeSums(t, sums);
  total_weight_ += weight;
  return absl::OkStatus();
}

absl::StatusOr<Partial> LinearAccumulator::TakePartial() {
  if (total_weight_ == 0) return Empty();
  Partial partial{total_weight(), {}, std::move(sums_)};
  sums_ = {};
  total_weight_ = 0;
  return partial;
}

absl::StatusOr<PackedTensors> LinearAccumulator::Finish(const PackedTensors& base,
                                                        ServerOptimizer& optimizer) {
  if (total_weight_ == 0) return Empty();
  SKEIN_RETURN_IF_ERROR(model_.ExpectSame(base.manifest()));
  PackedTensors next(model_);
  optimizer.BeginStep(model_);
  for (size_t t = 0; t < model_.size(); ++t) {
    if (KindOf(t) == Kind::kFloat) {
      FinishFloats(t, base, optimizer, next);
    } else {
      FinishIntegers(t, next);
    }
  }
  return next;
}

absl::Status LinearAccumulator::Prepare() {
  if (sums_.has_value()) return absl::OkStatus();
  SKEIN_ASSIGN_OR_RETURN(Manifest manifest, PartialManifest(model_));
  sums_ = PackedTensors(std::move(manifest));
  for (size_t t = 0; t < model_.size(); ++t) {
    const int64_t identity = KindOf(t) == Kind::kIntegerMax ? INT64_MIN : 0;
    std::fill_n(Sums(t), model_[t].NumElements(), static_cast<uint64_t>(identity));
  }
  return absl::OkStatus();
}

// ---- checks ----

// A plan arrives with a model over the wire: what the kernels rely on must hold of it.
absl::Status LinearAccumulator::CheckPlan() const { return CheckNumericPlan(plan_, model_); }

absl::Status LinearAccumulator::CheckTotal(int64_t more) const {
  if (more > max_total_weight_ - total_weight_) {
    return absl::InvalidArgumentError("with its weight of " + std::to_string(more) +
                                      " the total weight would exceed its bound, " +
                                      std::to_string(max_total_weight_));
  }
  return absl::OkStatus();
}

absl::Status LinearAccumulator::CheckUpdate(const PackedTensors& update) const {
  SKEIN_ASSIGN_OR_RETURN(const Manifest manifest, UpdateManifest(model_));
  SKEIN_RETURN_IF_ERROR(manifest.ExpectSame(update.manifest()));
  for (size_t t = 0; t < model_.size(); ++t) SKEIN_RETURN_IF_ERROR(CheckValues(t, update));
  return absl::OkStatus();
}

absl::Status LinearAccumulator::CheckValues(size_t tensor, const PackedTensors& update) const {
  const TensorInfo& info = model_[tensor];
  switch (KindOf(tensor)) {
    case Kind::kFloat:
      return CheckFloats(info, update.tensor(tensor), plan_.scales[tensor].bound_log2);
    case Kind::kIntegerMean:
      return CheckIntegers(info, info.dtype, update.tensor(tensor),
                           AveragingRange(info.dtype, max_total_weight_),
                           "more than can be averaged");
    case Kind::kIntegerMax:
      break;
  }
  return absl::OkStatus();
}

IntRange LinearAccumulator::AllowedSums(size_t tensor, int64_t weight, size_t updates) const {
  const DType dtype = model_[tensor].dtype;
  switch (KindOf(tensor)) {
    case Kind::kFloat:
      return ScaledRange(plan_.scales[tensor], weight, updates);
    case Kind::kIntegerMean: {
      const IntRange one = AveragingRange(dtype, max_total_weight_);
      return {one.low * weight, one.high * weight};
    }
    case Kind::kIntegerMax:
      break;
  }
  return RangeOf(dtype);
}

absl::Status LinearAccumulator::CheckSums(size_t tensor, int64_t weight, size_t updates,
                                          const PackedTensors& sums) const {
  return CheckIntegers(model_[tensor], DType::kInt64, sums.tensor(tensor),
                       AllowedSums(tensor, weight, updates), "beyond what its weight allows");
}

// ---- arithmetic ----

void LinearAccumulator::AddValues(size_t tensor, const PackedTensors& update, int64_t weight) {
  const TensorInfo& info = model_[tensor];
  const auto bytes = update.tensor(tensor);
  uint64_t* acc = Sums(tensor);
  if (KindOf(tensor) == Kind::kFloat) {
    const bool wide = static_cast<uint64_t>(weight) > plan_.max_update_weight;
    const auto accumulate = wide ? AccumulateScaledWide : AccumulateScaled;
    ForChunks<float>(info, [&](uint64_t at, std::span<float> values) {
      LoadFloats(bytes, at, values);
      accumulate(values, static_cast<double>(weight), plan_.scales[tensor].scale_bits, acc + at);
    });
    return;
  }
  ForChunks<int64_t>(info, [&](uint64_t at, std::span<int64_t> values) {
    LoadInts(info.dtype, bytes, at, values);
    CombineIntegers(values, KindOf(tensor) == Kind::kIntegerMax, weight, acc + at);
  });
}

void LinearAccumulator::MergeSums(size_t tensor, const PackedTensors& sums) {
  const auto bytes = sums.tensor(tensor);
  uint64_t* acc = Sums(tensor);
  ForChunks<int64_t>(model_[tensor], [&](uint64_t at, std::span<int64_t> values) {
    LoadInts(DType::kInt64, bytes, at, values);
    CombineIntegers(values, KindOf(tensor) == Kind::kIntegerMax, 1, acc + at);
  });
}

void LinearAccumulator::FinishFloats(size_t tensor, const PackedTensors& base,
                                     ServerOptimizer& optimizer, PackedTensors& next) {
  const TensorInfo& info = model_[tensor];
  const double denominator =
      std::ldexp(static_cast<double>(total_weight_), plan_.scales[tensor].scale_bits);
  const uint64_t* acc = Sums(tensor);
  const auto out = next.mutable_tensor(tensor);
  std::vector<double> x(kFoldChunk), stepped(kFoldChunk);
  ForChunks<double>(info, [&](uint64_t at, std::span<double> mean) {
    MeansOf(acc + at, denominator, mean);
    if (info.role == TensorRole::kBuffer) return StoreDoubles(info.dtype, mean, out, at);
    const auto from = std::span(x).first(mean.size());
    const auto to = std::span(stepped).first(mean.size());
    LoadDoubles(info.dtype, base.tensor(tensor), at, from);
    optimizer.Step(tensor, at, from, mean, to);
    StoreDoubles(info.dtype, to, out, at);
  });
}

void LinearAccumulator::FinishIntegers(size_t tensor, PackedTensors& next) {
  const TensorInfo& info = model_[tensor];
  const bool mean = KindOf(tensor) == Kind::kIntegerMean;
  const uint64_t* acc = Sums(tensor);
  const auto out = next.mutable_tensor(tensor);
  ForChunks<int64_t>(info, [&](uint64_t at, std::span<int64_t> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      const auto sum = static_cast<int64_t>(acc[at + i]);
      values[i] = mean ? DivideHalfEven(sum, total_weight_) : sum;
    }
    StoreInts(info.dtype, values, out, at);
  });
}

}  // namespace skein
