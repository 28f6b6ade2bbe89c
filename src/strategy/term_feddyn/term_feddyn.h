#ifndef SKEIN_SRC_STRATEGY_TERM_FEDDYN_TERM_FEDDYN_H_
#define SKEIN_SRC_STRATEGY_TERM_FEDDYN_TERM_FEDDYN_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the term `feddyn`. AlreadyExists if the name is taken.
absl::Status RegisterFedDynTerm(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_TERM_FEDDYN_TERM_FEDDYN_H_
