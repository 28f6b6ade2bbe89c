#ifndef SKEIN_SRC_STRATEGY_MAGNITUDE_H_
#define SKEIN_SRC_STRATEGY_MAGNITUDE_H_

#include <cstddef>
#include <cstdint>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// The exponent of the least power of two that is not below a value, which is at least 1 if it is
// whole; 0 for 0.0.
int CeilLog2(uint64_t value);
int CeilLog2(double value);

// The largest magnitude in a float tensor; NaN is passed over.
double LargestMagnitude(const PackedTensors& tensors, size_t tensor);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_MAGNITUDE_H_
