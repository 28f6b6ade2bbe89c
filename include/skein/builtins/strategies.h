#ifndef SKEIN_BUILTINS_STRATEGIES_H_
#define SKEIN_BUILTINS_STRATEGIES_H_

#include "skein/strategy/registry.h"

namespace skein {

// Registers the strategy parts that ship, without libtorch; RegisterBuiltins calls it. Aborts if a
// name is taken already.
void RegisterBuiltinStrategies(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_BUILTINS_STRATEGIES_H_
