#ifndef SKEIN_SRC_STRATEGY_FEDSGD_FEDSGD_H_
#define SKEIN_SRC_STRATEGY_FEDSGD_FEDSGD_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `fedsgd`: a mean of gradient steps. AlreadyExists if the name is taken.
absl::Status RegisterFedSgd(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_FEDSGD_FEDSGD_H_
