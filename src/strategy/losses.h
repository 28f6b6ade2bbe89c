#ifndef SKEIN_SRC_STRATEGY_LOSSES_H_
#define SKEIN_SRC_STRATEGY_LOSSES_H_

#include <absl/status/status.h>

#include "skein/strategy/selector.h"

namespace skein {

// FailedPrecondition, with the remedy, if workers have reported and none of them a loss: a selector
// that goes by losses has nothing to go by, and would not be seen to.
absl::Status CheckLosses(const SelectionInput& input);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LOSSES_H_
