#ifndef SKEIN_SRC_STRATEGY_MEAN_MEAN_H_
#define SKEIN_SRC_STRATEGY_MEAN_MEAN_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `mean`: the plain mean of the updates. {integers: max | mean}. AlreadyExists if the
// name is taken.
absl::Status RegisterMean(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_MEAN_MEAN_H_
