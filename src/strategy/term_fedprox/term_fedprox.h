#ifndef SKEIN_SRC_STRATEGY_TERM_FEDPROX_TERM_FEDPROX_H_
#define SKEIN_SRC_STRATEGY_TERM_FEDPROX_TERM_FEDPROX_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the term `fedprox`. AlreadyExists if the name is taken.
absl::Status RegisterFedProxTerm(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_TERM_FEDPROX_TERM_FEDPROX_H_
