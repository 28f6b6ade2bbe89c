#include "strategy/magnitude.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>

#include "strategy/elements.h"

namespace skein {

int CeilLog2(uint64_t value) { return static_cast<int>(std::bit_width(value - 1)); }

int CeilLog2(double value) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);  // in [0.5, 1)
  return fraction == 0.5 ? exponent - 1 : exponent;
}

double LargestMagnitude(const PackedTensors& tensors, size_t tensor) {
  const TensorInfo& info = tensors.manifest()[tensor];
  double largest = 0;
  ForChunks<double>(info, [&](uint64_t at, std::span<double> values) {
    LoadDoubles(info.dtype, tensors.tensor(tensor), at, values);
    for (const double value : values) largest = std::max(largest, std::abs(value));
  });
  return largest;
}

}  // namespace skein
