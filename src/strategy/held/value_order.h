#ifndef SKEIN_SRC_STRATEGY_HELD_VALUE_ORDER_H_
#define SKEIN_SRC_STRATEGY_HELD_VALUE_ORDER_H_

#include <cstdint>

namespace skein {

// Signed numbers in the order of the floats whose bits these are: total, so that it does not matter
// which of two zeros came first, and compared without the floats' special cases. Its own inverse.
inline int32_t InOrder(int32_t bits) { return bits ^ ((bits >> 31) & 0x7fffffff); }

// Half way between two values.
inline double MiddleOf(float low, float high) {
  return (static_cast<double>(low) + static_cast<double>(high)) / 2;
}
// Half to even, whatever the size of the two.
inline int64_t MiddleOf(int64_t low, int64_t high) {
  const int64_t floor = (low & high) + ((low ^ high) >> 1);
  const bool half = ((low ^ high) & 1) != 0;
  return half && floor % 2 != 0 ? floor + 1 : floor;
}

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_HELD_VALUE_ORDER_H_
