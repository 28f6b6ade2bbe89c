#ifndef SKEIN_SRC_STRATEGY_MEDIAN_MEDIAN_H_
#define SKEIN_SRC_STRATEGY_MEDIAN_MEDIAN_H_

#include "skein/strategy/registry.h"

namespace skein {

absl::Status RegisterMedian(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_MEDIAN_MEDIAN_H_
