#ifndef SKEIN_SRC_STRATEGY_TERM_LOCAL_TERM_LOCAL_H_
#define SKEIN_SRC_STRATEGY_TERM_LOCAL_TERM_LOCAL_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds `local`: tensors of some names stay at the worker, or all but those. {keep | share}.
// AlreadyExists if the name is taken.
absl::Status RegisterLocalTerm(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_TERM_LOCAL_TERM_LOCAL_H_
