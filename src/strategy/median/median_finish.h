#ifndef SKEIN_SRC_STRATEGY_MEDIAN_MEDIAN_FINISH_H_
#define SKEIN_SRC_STRATEGY_MEDIAN_MEDIAN_FINISH_H_

#include <absl/status/statusor.h>

#include "skein/strategy/server_optimizer.h"
#include "strategy/held/held_updates.h"

namespace skein {

// The next model: the optimizer is given the median of each element over the updates, of which
// there is at least one; for an even number the mean of the two in the middle, in double. Buffers
// take the median itself, and so do integers and bools, half to even. Worked out for a few
// elements of all updates at a time.
absl::StatusOr<PackedTensors> FinishMedian(const HeldUpdates& updates, const PackedTensors& base,
                                           ServerOptimizer& optimizer, BufferPool& buffers);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_MEDIAN_MEDIAN_FINISH_H_
