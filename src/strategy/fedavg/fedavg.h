#ifndef SKEIN_SRC_STRATEGY_FEDAVG_FEDAVG_H_
#define SKEIN_SRC_STRATEGY_FEDAVG_FEDAVG_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `fedavg`: the mean of the updates, weighted by their samples. {integers: max |
// mean}. AlreadyExists if the name is taken.
absl::Status RegisterFedAvg(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_FEDAVG_FEDAVG_H_
