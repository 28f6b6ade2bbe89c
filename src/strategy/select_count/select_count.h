#ifndef SKEIN_SRC_STRATEGY_SELECT_COUNT_SELECT_COUNT_H_
#define SKEIN_SRC_STRATEGY_SELECT_COUNT_SELECT_COUNT_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the selector `count`: a fixed number of random workers. {count}. AlreadyExists if the name
// is taken.
absl::Status RegisterSelectCount(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SELECT_COUNT_SELECT_COUNT_H_
