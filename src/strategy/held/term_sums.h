#ifndef SKEIN_SRC_STRATEGY_HELD_TERM_SUMS_H_
#define SKEIN_SRC_STRATEGY_HELD_TERM_SUMS_H_

#include <cstdint>
#include <span>
#include <vector>

namespace skein {

// Sums of weighted float32 values as integers, each term rounded by itself: the same whatever the
// order and the grouping, so that those of subtrees add up to that of the tree.

// The power of two by which terms up to `largest` in magnitude are to be multiplied, so that the
// sum of `terms` of them stays below 2^62: 2^50 for one of them, or less if they are many.
int ScaleBits(double largest, uint64_t terms);

// sums[i] += round_half_even(values[i] * factor), for products below 2^51. `values` are floats as
// their bits, `factor` is the weight times the power of two.
void AddTerms(std::span<const int32_t> values, double factor, std::span<int64_t> sums);
void AddTerms(std::span<const double> values, double factor, std::span<int64_t> sums);
// The same with a factor for each element.
void AddTerms(std::span<const int32_t> values, std::span<const double> factors,
              std::span<int64_t> sums);
// One such term.
int64_t TermOf(float value, double factor);

// The weighted mean that such a sum stands for: `unit` is what one of it is worth, 2^-ScaleBits,
// and `total` the sum of the weights.
inline double MeanOfTerms(int64_t sum, double unit, double total) {
  return static_cast<double>(sum) * unit / total;
}

// A weighted sum of updates, sum(weights[k] w_k) / total, that is made of such terms.
struct TermMean {
  std::vector<double> weights;
  double total = 0;
  int scale_bits = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_HELD_TERM_SUMS_H_
