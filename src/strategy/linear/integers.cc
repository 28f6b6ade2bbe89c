#include "strategy/linear/integers.h"

#include <algorithm>
#include <limits>

namespace skein {
namespace {

template <typename T>
constexpr IntRange FullRange() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

}  // namespace

IntRange RangeOf(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return {0, 1};
    case DType::kUint8:
      return FullRange<uint8_t>();
    case DType::kInt8:
      return FullRange<int8_t>();
    case DType::kInt16:
      return FullRange<int16_t>();
    case DType::kInt32:
      return FullRange<int32_t>();
    default:
      return FullRange<int64_t>();
  }
}

IntRange AveragingRange(DType dtype, int64_t max_total_weight) {
  const int64_t bound = (int64_t{1} << 62) / max_total_weight;
  const IntRange range = RangeOf(dtype);
  return {std::max(range.low, -bound), std::min(range.high, bound)};
}

int64_t DivideHalfEven(int64_t sum, int64_t weight) {
  int64_t quotient = sum / weight;
  int64_t rest = sum % weight;
  if (rest < 0) {
    rest += weight;
    --quotient;
  }
  const int64_t other = weight - rest;  // compared with it, doubling the rest cannot overflow
  if (rest > other || (rest == other && quotient % 2 != 0)) ++quotient;
  return quotient;
}

}  // namespace skein
