#ifndef SKEIN_SRC_STRATEGY_FILTER_MAX_NORM_FILTER_MAX_NORM_H_
#define SKEIN_SRC_STRATEGY_FILTER_MAX_NORM_FILTER_MAX_NORM_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the filter `max-norm`: refuses updates whose L2 norm over the parameters exceeds a limit.
// {limit}. AlreadyExists if the name is taken.
absl::Status RegisterMaxNormFilter(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_FILTER_MAX_NORM_FILTER_MAX_NORM_H_
