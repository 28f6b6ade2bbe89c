#include "codec/finite.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace skein {
namespace {

constexpr size_t kRun = 4096;

// Elements of `Bits` whose exponent is all ones. Without a branch for each: bad ones are rare.
template <typename Bits, Bits kExponent>
std::optional<uint64_t> FindExponent(std::span<const std::byte> elements) {
  const uint64_t count = elements.size() / sizeof(Bits);
  const auto at = [&](uint64_t i) {
    Bits bits = 0;
    std::memcpy(&bits, elements.data() + i * sizeof(Bits), sizeof(Bits));
    return bits;
  };
  for (uint64_t begin = 0; begin < count; begin += kRun) {
    const uint64_t end = std::min<uint64_t>(count, begin + kRun);
    Bits bad = 0;
    for (uint64_t i = begin; i < end; ++i) {
      bad |= static_cast<Bits>((at(i) & kExponent) == kExponent ? 1 : 0);
    }
    if (bad == 0) continue;
    for (uint64_t i = begin; i < end; ++i) {
      if ((at(i) & kExponent) == kExponent) return i;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<size_t> FindBeyond(std::span<const float> values, float limit) {
  const auto most = std::bit_cast<int32_t>(limit);
  // As integers, magnitudes order like the floats, with Inf and NaN above all.
  const auto beyond = [&](float v) {
    return (std::bit_cast<int32_t>(v) & INT32_MAX) > most ? 1 : 0;
  };
  int bad = 0;
  for (const float v : values) bad |= beyond(v);
  if (bad == 0) return std::nullopt;
  return std::ranges::find(values, 1, beyond) - values.begin();
}

std::optional<uint64_t> FindNonFinite(DType dtype, std::span<const std::byte> elements) {
  switch (dtype) {
    case DType::kFloat16:
      return FindExponent<uint16_t, 0x7c00>(elements);
    case DType::kBFloat16:
      return FindExponent<uint16_t, 0x7f80>(elements);
    case DType::kFloat32:
      return FindExponent<uint32_t, 0x7f800000>(elements);
    case DType::kFloat64:
      return FindExponent<uint64_t, 0x7ff0000000000000>(elements);
    default:
      return std::nullopt;
  }
}

std::string ValueText(float value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Inf" : "-Inf";
  char text[32];
  std::snprintf(text, sizeof(text), "%.9g", static_cast<double>(value));
  return text;
}

}  // namespace skein
