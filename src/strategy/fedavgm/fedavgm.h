#ifndef SKEIN_SRC_STRATEGY_FEDAVGM_FEDAVGM_H_
#define SKEIN_SRC_STRATEGY_FEDAVGM_FEDAVGM_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the optimizer `fedavgm` {lr, momentum, nesterov, state}. AlreadyExists if the name is taken.
absl::Status RegisterFedAvgM(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_FEDAVGM_FEDAVGM_H_
