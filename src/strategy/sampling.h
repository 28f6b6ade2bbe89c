#ifndef SKEIN_SRC_STRATEGY_SAMPLING_H_
#define SKEIN_SRC_STRATEGY_SAMPLING_H_

#include "skein/strategy/selector.h"

namespace skein {

// `count` workers drawn uniformly without replacement, by (seed, round) alone. FailedPrecondition
// if fewer are available.
absl::StatusOr<Roster> SampleUniformly(const SelectionInput& input, size_t count);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SAMPLING_H_
