#include "strategy/linear/linear_checks.h"

#include <cmath>

#include "skein/base/status.h"
#include "skein/base/value.h"
#include "strategy/elements.h"
#include "strategy/magnitude.h"

namespace skein {
namespace {

// Beyond these the powers of two would leave the range of float32 and double.
constexpr int kMaxBoundLog2 = 127;
constexpr int kMaxScaleBits = 512;

absl::Status Bad(const TensorInfo& info, uint64_t index, const std::string& what) {
  return absl::InvalidArgumentError("tensor '" + info.name + "' has " + what + " at index " +
                                    std::to_string(index));
}

std::string Describe(float value, int bound_log2) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return "Inf";
  return ToJson(Value(static_cast<double>(value))) + ", beyond its bound 2^" +
         std::to_string(bound_log2) + ",";
}

}  // namespace

absl::StatusOr<int64_t> WholeWeight(Fixed128 weight) {
  const double value = weight.ToDouble();
  constexpr int kShift = Fixed128::kFractionBits;
  if (value >= 1 && value < 0x1p63) {
    const uint64_t whole =
        (static_cast<uint64_t>(weight.high()) << (64 - kShift)) | (weight.low() >> kShift);
    const auto result = static_cast<int64_t>(whole);
    if (result > 0 && Fixed128::FromInt(result) == weight) return result;
  }
  return absl::InvalidArgumentError("its weight is " + ToJson(Value(value)) +
                                    ", it must be a whole number of at least 1");
}

absl::Status CheckNumericPlan(const NumericPlan& plan, const Manifest& model) {
  bool sound = plan.scales.size() == model.size() && plan.max_update_weight > 0 &&
               plan.max_update_weight <= plan.max_total_weight;
  for (size_t t = 0; sound && t < model.size(); ++t) {
    if (!IsFloat(model[t].dtype)) continue;
    const int one = CeilLog2(plan.max_update_weight);
    const int all = CeilLog2(plan.max_total_weight);
    const TensorScale& scale = plan.scales[t];
    sound = std::abs(scale.bound_log2) <= kMaxBoundLog2 &&
            std::abs(scale.scale_bits) <= kMaxScaleBits &&
            scale.bound_log2 + scale.scale_bits + one <= 50 &&
            scale.bound_log2 + scale.scale_bits + all <= 62;
  }
  if (sound) return absl::OkStatus();
  return absl::InvalidArgumentError("the model's numeric plan does not fit its tensors");
}

IntRange ScaledRange(const TensorScale& scale, int64_t weight, size_t updates) {
  const int bits = scale.bound_log2 + scale.scale_bits;
  double limit = std::ldexp(static_cast<double>(weight), bits);
  // Rounding cannot pass a bound that is a whole number; below one it adds half a unit an update.
  if (bits < 0) limit += 0.5 * static_cast<double>(updates);
  const auto whole = static_cast<int64_t>(limit);
  return {-whole, whole};
}

std::optional<BadElement> FindBadFloat(const TensorInfo& info, std::span<const std::byte> tensor,
                                       ElementRange range, int bound_log2) {
  const float bound = std::ldexp(1.0f, bound_log2);
  for (uint64_t i = range.first; i < range.first + range.count; ++i) {
    float value = 0;
    LoadFloats(tensor, i, {&value, 1});
    if (std::fabs(value) <= bound) continue;  // false for NaN
    absl::Status status = Bad(info, i, Describe(value, bound_log2));
    if (std::isfinite(value)) {
      status = absl::InvalidArgumentError(
          Message(status) + (std::fabs(value) <= kLargestBound
                                 ? "; set strategy.fold.bound higher if that is no mistake"
                                 : "; sums of such values would hold no others"));
    }
    return BadElement{i, std::move(status)};
  }
  return std::nullopt;
}

std::optional<BadElement> FindBadInteger(const TensorInfo& info, std::span<const std::byte> tensor,
                                         ElementRange range, IntRange allowed,
                                         const std::string& complaint) {
  for (uint64_t i = range.first; i < range.first + range.count; ++i) {
    int64_t value = 0;
    LoadInts(info.dtype, tensor, i, {&value, 1});
    if (allowed.Contains(value)) continue;
    return BadElement{i, Bad(info, i, std::to_string(value) + ", " + complaint + ",")};
  }
  return std::nullopt;
}

}  // namespace skein
