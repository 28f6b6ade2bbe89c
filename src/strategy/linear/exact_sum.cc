// Compiled without contraction into fused multiply-adds: the product v * w is rounded by itself.

#include "strategy/linear/exact_sum.h"

#include <bit>
#include <cmath>

namespace skein {

void AccumulateScaled(std::span<const float> values, double weight, int scale_bits, uint64_t* acc) {
  // Adding 1.5 * 2^52 leaves the integer, rounded half to even by the addition itself, in the low
  // bits; right for magnitudes below 2^51. The scale is a power of two, so multiplying by it is
  // exact.
  constexpr double kMagic = 0x1.8p52;
  constexpr uint64_t kMagicBits = std::bit_cast<uint64_t>(kMagic);
  const double scale = std::ldexp(1.0, scale_bits);
  for (size_t i = 0; i < values.size(); ++i) {
    const double product = static_cast<double>(values[i]) * weight;
    acc[i] += std::bit_cast<uint64_t>(product * scale + kMagic) - kMagicBits;
  }
}

void AccumulateScaledWide(std::span<const float> values, double weight, int scale_bits,
                          uint64_t* acc) {
  const double scale = std::ldexp(1.0, scale_bits);
  for (size_t i = 0; i < values.size(); ++i) {
    const double product = static_cast<double>(values[i]) * weight;
    acc[i] += static_cast<uint64_t>(static_cast<int64_t>(std::nearbyint(product * scale)));
  }
}

std::optional<size_t> FindOutOfBounds(std::span<const float> values, int bound_log2) {
  const float bound = std::ldexp(1.0f, bound_log2);
  // One branch-free pass first: nearly always everything is in order. The comparison is false for
  // NaN.
  uint32_t bad = 0;
  for (const float v : values) bad |= std::fabs(v) <= bound ? 0u : 1u;
  if (bad == 0) return std::nullopt;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(std::fabs(values[i]) <= bound)) return i;
  }
  return std::nullopt;
}

void MeansOf(const uint64_t* acc, double denominator, std::span<double> means) {
  for (size_t i = 0; i < means.size(); ++i) {
    means[i] = static_cast<double>(static_cast<int64_t>(acc[i])) / denominator;
  }
}

}  // namespace skein
