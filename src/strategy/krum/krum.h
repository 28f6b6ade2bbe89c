#ifndef SKEIN_SRC_STRATEGY_KRUM_KRUM_H_
#define SKEIN_SRC_STRATEGY_KRUM_KRUM_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `krum`: {f}. AlreadyExists if the name is taken.
absl::Status RegisterKrum(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_KRUM_KRUM_H_
