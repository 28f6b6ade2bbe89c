#ifndef SKEIN_SRC_STRATEGY_LINEAR_INTEGERS_H_
#define SKEIN_SRC_STRATEGY_LINEAR_INTEGERS_H_

#include <cstdint>

#include "skein/tensor/manifest.h"

namespace skein {

// How a linear fold treats integer tensors; bools always take the maximum.
enum class IntegerRule {
  kMaximum,  // a counter keeps its largest value
  kMean,     // weighted, half to even
};

// Inclusive.
struct IntRange {
  int64_t low = 0;
  int64_t high = 0;
  bool Contains(int64_t value) const { return low <= value && value <= high; }
};

// What an integer or bool type can hold.
IntRange RangeOf(DType dtype);

// The part of RangeOf that may be averaged under total weights up to `max_total_weight` without a
// sum leaving 63 bits.
IntRange AveragingRange(DType dtype, int64_t max_total_weight);

// sum / weight, rounded half to even. weight > 0.
int64_t DivideHalfEven(int64_t sum, int64_t weight);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_INTEGERS_H_
