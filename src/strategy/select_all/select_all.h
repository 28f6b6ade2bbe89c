#ifndef SKEIN_SRC_STRATEGY_SELECT_ALL_SELECT_ALL_H_
#define SKEIN_SRC_STRATEGY_SELECT_ALL_SELECT_ALL_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the selector `all`: every available worker. AlreadyExists if the name is taken.
absl::Status RegisterSelectAll(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SELECT_ALL_SELECT_ALL_H_
