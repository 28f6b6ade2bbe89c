#include "strategy/held/term_sums.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "strategy/linear/magic.h"

namespace skein {
namespace {

constexpr int kTermBits = 50;
constexpr int kSumBits = 62;
constexpr int kMaxScaleBits = 1000;

int64_t Rounded(double value, double factor) {
  const double units = value * factor + kToUnits;
  return static_cast<int64_t>(std::bit_cast<uint64_t>(units) - kToUnitsBits);
}
int64_t Rounded(int32_t value, double factor) {
  return Rounded(static_cast<double>(std::bit_cast<float>(value)), factor);
}

}  // namespace

int ScaleBits(double largest, uint64_t terms) {
  if (!(largest > 0)) return 0;
  const int bits = std::min(kTermBits, kSumBits - static_cast<int>(std::bit_width(terms)));
  return std::clamp(bits - 1 - std::ilogb(largest), -kMaxScaleBits, kMaxScaleBits);
}

void AddTerms(std::span<const int32_t> values, double factor, std::span<int64_t> sums) {
  for (size_t i = 0; i < values.size(); ++i) sums[i] += Rounded(values[i], factor);
}

void AddTerms(std::span<const double> values, double factor, std::span<int64_t> sums) {
  for (size_t i = 0; i < values.size(); ++i) sums[i] += Rounded(values[i], factor);
}

void AddTerms(std::span<const int32_t> values, std::span<const double> factors,
              std::span<int64_t> sums) {
  for (size_t i = 0; i < values.size(); ++i) sums[i] += Rounded(values[i], factors[i]);
}

int64_t TermOf(float value, double factor) {
  return Rounded(std::bit_cast<int32_t>(value), factor);
}

}  // namespace skein
