#ifndef SKEIN_SRC_STRATEGY_MULTI_KRUM_MULTI_KRUM_H_
#define SKEIN_SRC_STRATEGY_MULTI_KRUM_MULTI_KRUM_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `multi-krum`: {f, m}. AlreadyExists if the name is taken.
absl::Status RegisterMultiKrum(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_MULTI_KRUM_MULTI_KRUM_H_
