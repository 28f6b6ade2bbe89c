#ifndef SKEIN_SRC_STRATEGY_GEOMETRIC_MEDIAN_GEOMETRIC_MEDIAN_H_
#define SKEIN_SRC_STRATEGY_GEOMETRIC_MEDIAN_GEOMETRIC_MEDIAN_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `geometric-median`: {iterations, nu, weights}. AlreadyExists if the name is taken.
absl::Status RegisterGeometricMedian(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_GEOMETRIC_MEDIAN_GEOMETRIC_MEDIAN_H_
