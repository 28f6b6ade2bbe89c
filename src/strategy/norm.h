#ifndef SKEIN_SRC_STRATEGY_NORM_H_
#define SKEIN_SRC_STRATEGY_NORM_H_

#include "skein/tensor/packed_tensors.h"

namespace skein {

// L2 norm over the float parameters of an update, taken together; buffers are no part of it.
// NaN or infinite if an element is.
double NormOf(const PackedTensors& update);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_NORM_H_
