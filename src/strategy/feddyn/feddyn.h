#ifndef SKEIN_SRC_STRATEGY_FEDDYN_FEDDYN_H_
#define SKEIN_SRC_STRATEGY_FEDDYN_FEDDYN_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the optimizer `feddyn` {state}. AlreadyExists if the name is taken.
absl::Status RegisterFedDynOptimizer(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_FEDDYN_FEDDYN_H_
