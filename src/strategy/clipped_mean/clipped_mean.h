#ifndef SKEIN_SRC_STRATEGY_CLIPPED_MEAN_CLIPPED_MEAN_H_
#define SKEIN_SRC_STRATEGY_CLIPPED_MEAN_CLIPPED_MEAN_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `clipped-mean` {clip, weights}: a mean of updates of bounded norm. AlreadyExists if
// the name is taken.
absl::Status RegisterClippedMean(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_CLIPPED_MEAN_CLIPPED_MEAN_H_
