#ifndef SKEIN_SRC_STRATEGY_HELD_LONE_PARTIAL_H_
#define SKEIN_SRC_STRATEGY_HELD_LONE_PARTIAL_H_

#include <cstddef>
#include <span>

#include <absl/status/statusor.h>

#include "skein/strategy/fold.h"

namespace skein {

// How one contribution of a subtree travels to a fold that holds contributions: packed as a
// partial, and no sum. A float v is round_half_even(v * 2^T), with the most digits that the numeric
// plan has room for, T = S + floor(log2 w_max): as if it weighed as much as an update may. All
// errors are InvalidArgument and name tensor and index.

// `update` is laid out as UpdateManifest(model) says and finite. Values beyond 2^12 times what the
// plan says are sent as the largest: one worker that says such things does not keep others from
// being passed on, and the fold above sees how far off it is.
absl::StatusOr<PackedTensors> EncodeLone(std::span<const std::byte> update, const Manifest& model,
                                         const NumericPlan& plan, BufferPool& buffers);

// The update's tensors again, rounded to float32.
absl::StatusOr<PackedTensors> DecodeLone(const PackedTensors& partial, const Manifest& model,
                                         const NumericPlan& plan, BufferPool& buffers);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_HELD_LONE_PARTIAL_H_
