#include "strategy/finite_check.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "strategy/elements.h"

namespace skein {
namespace {

// Bits of a float type: an exponent of ones is that of no finite number.
template <typename Bits, Bits kExponent, Bits kFraction>
struct FloatBits {
  static Bits At(std::span<const std::byte> tensor, uint64_t index) {
    Bits bits = 0;
    std::memcpy(&bits, tensor.data() + index * sizeof(bits), sizeof(bits));
    return bits;
  }
  static bool IsFinite(Bits bits) { return (bits & kExponent) != kExponent; }
  static bool IsNan(Bits bits) { return !IsFinite(bits) && (bits & kFraction) != 0; }

  // The first that is not finite, or `end`. Without a branch for each element: bad ones are rare.
  static uint64_t FirstBad(std::span<const std::byte> tensor, uint64_t begin, uint64_t end) {
    Bits bad = 0;
    for (uint64_t i = begin; i < end; ++i) bad |= IsFinite(At(tensor, i)) ? Bits{0} : Bits{1};
    if (bad == 0) return end;
    while (IsFinite(At(tensor, begin))) ++begin;
    return begin;
  }
};
using Float16Bits = FloatBits<uint16_t, 0x7c00, 0x03ff>;
using BFloat16Bits = FloatBits<uint16_t, 0x7f80, 0x007f>;
using Float32Bits = FloatBits<uint32_t, 0x7f800000, 0x007fffff>;
using Float64Bits = FloatBits<uint64_t, 0x7ff0000000000000, 0x000fffffffffffff>;

// Calls visit with the one of these that is of a float type.
template <typename Visit>
auto WithBits(DType dtype, Visit visit) {
  switch (dtype) {
    case DType::kFloat16:
      return visit(Float16Bits());
    case DType::kBFloat16:
      return visit(BFloat16Bits());
    case DType::kFloat64:
      return visit(Float64Bits());
    default:
      return visit(Float32Bits());
  }
}

}  // namespace

absl::Status FiniteCheck::Advance(uint64_t received) {
  const Manifest& manifest = tensors_.manifest();
  for (; tensor_ < manifest.size(); ++tensor_, element_ = 0) {
    const TensorInfo& info = manifest[tensor_];
    const uint64_t begin = manifest.offset(tensor_);
    if (received <= begin) return absl::OkStatus();
    const uint64_t here = std::min(info.NumElements(), (received - begin) / SizeOf(info.dtype));
    const std::span<const std::byte> tensor = tensors_.tensor(tensor_);
    while (IsFloat(info.dtype) && element_ < here) {
      const uint64_t end = std::min(here, element_ + kFoldChunk);
      element_ =
          WithBits(info.dtype, [&](auto bits) { return bits.FirstBad(tensor, element_, end); });
      if (element_ == end) continue;
      const bool nan =
          WithBits(info.dtype, [&](auto bits) { return bits.IsNan(bits.At(tensor, element_)); });
      return absl::InvalidArgumentError("tensor '" + info.name + "' has " + (nan ? "NaN" : "Inf") +
                                        " at index " + std::to_string(element_));
    }
    element_ = here;
    if (here < info.NumElements()) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status CheckFinite(const PackedTensors& tensors) {
  return FiniteCheck(tensors).Advance(tensors.manifest().total_bytes());
}

}  // namespace skein
