#ifndef SKEIN_SRC_STRATEGY_FEDOPT_FEDOPT_H_
#define SKEIN_SRC_STRATEGY_FEDOPT_FEDOPT_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the optimizers `fedadagrad`, `fedadam` and `fedyogi`. AlreadyExists if a name is taken.
absl::Status RegisterFedOpt(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_FEDOPT_FEDOPT_H_
