#ifndef SKEIN_SRC_STRATEGY_TERM_FEDBN_TERM_FEDBN_H_
#define SKEIN_SRC_STRATEGY_TERM_FEDBN_TERM_FEDBN_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds `fedbn`: batch normalization stays at the worker. AlreadyExists if the name is taken.
absl::Status RegisterFedBnTerm(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_TERM_FEDBN_TERM_FEDBN_H_
