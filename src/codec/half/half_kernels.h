#ifndef SKEIN_SRC_CODEC_HALF_HALF_KERNELS_H_
#define SKEIN_SRC_CODEC_HALF_HALF_KERNELS_H_

#include <bit>
#include <cstdint>

namespace skein {

// float16 and bfloat16 as in strategy/elements.h, without branches, so that loops over them become
// vector code. For finite floats; rounding is to nearest even, beyond the largest to infinity.

// As strategy/elements.h's HalfFromFloat.
inline uint16_t QuickHalf(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & 0x7fffffff;
  // The exponent's bias changes by 112; an odd lowest bit makes a tie round up.
  const uint32_t normal = (magnitude + 0xfff + ((magnitude >> 13) & 1) - (112u << 23)) >> 13;
  // Below 2^-14 a half is a multiple of 2^-24, which is the distance of floats above 0.5.
  const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
  const uint32_t subnormal = std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5f);
  const auto signed_magnitude = static_cast<int32_t>(magnitude);
  uint32_t half = signed_magnitude < 0x38800000 ? subnormal : normal;
  half = signed_magnitude >= 0x47800000 ? 0x7c00u : half;
  return static_cast<uint16_t>(half | ((bits >> 16) & 0x8000));
}

// As FloatFromHalf, NaN and infinity included.
inline float QuickFloat(uint16_t half) {
  const uint32_t bits = uint32_t{half} << 13;
  const uint32_t magnitude = bits & 0x0fffe000;
  const uint32_t normal = magnitude + (112u << 23);
  // 2^-14 (1 + f) - 2^-14
  const float with_one = std::bit_cast<float>(magnitude + (113u << 23));
  const float fraction = with_one - std::bit_cast<float>(113u << 23);
  const auto ordered = static_cast<int32_t>(magnitude);
  uint32_t value = ordered < 0x00800000 ? std::bit_cast<uint32_t>(fraction) : normal;
  value = ordered >= 0x0f800000 ? magnitude | 0x7f800000 : value;
  return std::bit_cast<float>(value | (uint32_t{half} & 0x8000) << 16);
}

// As BFloat16FromFloat.
inline uint16_t QuickBFloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

inline float QuickFloatOfBFloat16(uint16_t bits) {
  return std::bit_cast<float>(uint32_t{bits} << 16);
}

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_HALF_HALF_KERNELS_H_
