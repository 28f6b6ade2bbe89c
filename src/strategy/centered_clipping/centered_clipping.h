#ifndef SKEIN_SRC_STRATEGY_CENTERED_CLIPPING_CENTERED_CLIPPING_H_
#define SKEIN_SRC_STRATEGY_CENTERED_CLIPPING_CENTERED_CLIPPING_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `centered-clipping`: {clip, iterations}. AlreadyExists if the name is taken.
absl::Status RegisterCenteredClipping(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_CENTERED_CLIPPING_CENTERED_CLIPPING_H_
