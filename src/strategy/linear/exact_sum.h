#ifndef SKEIN_SRC_STRATEGY_LINEAR_EXACT_SUM_H_
#define SKEIN_SRC_STRATEGY_LINEAR_EXACT_SUM_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace skein {

// Kernels of the exact sums (docs/architecture.md, "Exact sums"). Sums are kept modulo 2^64, so
// that order cannot matter; the bounds of the plan keep them from wrapping.

// acc[i] += round_half_even(double(v[i]) * weight * 2^scale_bits). The caller has made sure that
// each addend is at most 2^50 in magnitude.
void AccumulateScaled(std::span<const float> values, double weight, int scale_bits, uint64_t* acc);

// The same for addends up to 2^62, which a whole subtree's weight makes; slower.
void AccumulateScaledWide(std::span<const float> values, double weight, int scale_bits,
                          uint64_t* acc);

// Index of the first value that is not finite or exceeds 2^bound_log2 in magnitude.
std::optional<size_t> FindOutOfBounds(std::span<const float> values, int bound_log2);

// means[i] = double(acc[i] as signed) / denominator, with denominator = 2^S * total weight.
void MeansOf(const uint64_t* acc, double denominator, std::span<double> means);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_EXACT_SUM_H_
