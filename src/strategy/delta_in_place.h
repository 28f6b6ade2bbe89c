#ifndef SKEIN_SRC_STRATEGY_DELTA_IN_PLACE_H_
#define SKEIN_SRC_STRATEGY_DELTA_IN_PLACE_H_

#include <memory>

#include "skein/strategy/fold.h"

namespace skein {

// DeltaOf, in place of the local model, whose tensors lie in `block` in their order, with gaps or
// without, and are lost. Float tensors must be float32.
absl::StatusOr<PackedTensors> DeltaInPlace(TensorViews local, const PackedTensors& base,
                                           std::shared_ptr<std::byte> block);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_DELTA_IN_PLACE_H_
