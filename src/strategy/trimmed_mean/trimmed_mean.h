#ifndef SKEIN_SRC_STRATEGY_TRIMMED_MEAN_TRIMMED_MEAN_H_
#define SKEIN_SRC_STRATEGY_TRIMMED_MEAN_TRIMMED_MEAN_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `trimmed-mean`: {trim, or beta}. AlreadyExists if the name is taken.
absl::Status RegisterTrimmedMean(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_TRIMMED_MEAN_TRIMMED_MEAN_H_
