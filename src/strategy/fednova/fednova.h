#ifndef SKEIN_SRC_STRATEGY_FEDNOVA_FEDNOVA_H_
#define SKEIN_SRC_STRATEGY_FEDNOVA_FEDNOVA_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `fednova`: updates by their local steps. AlreadyExists if the name is taken.
absl::Status RegisterFedNova(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_FEDNOVA_FEDNOVA_H_
