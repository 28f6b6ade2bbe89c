#ifndef SKEIN_SRC_STRATEGY_SELECT_ROUND_ROBIN_SELECT_ROUND_ROBIN_H_
#define SKEIN_SRC_STRATEGY_SELECT_ROUND_ROBIN_SELECT_ROUND_ROBIN_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the selector `round-robin`: so many workers, in turn. {count}. AlreadyExists if the name is
// taken.
absl::Status RegisterSelectRoundRobin(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SELECT_ROUND_ROBIN_SELECT_ROUND_ROBIN_H_
