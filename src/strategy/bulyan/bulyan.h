#ifndef SKEIN_SRC_STRATEGY_BULYAN_BULYAN_H_
#define SKEIN_SRC_STRATEGY_BULYAN_BULYAN_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `bulyan`: {f}. AlreadyExists if the name is taken.
absl::Status RegisterBulyan(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_BULYAN_BULYAN_H_
