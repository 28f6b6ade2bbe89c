#ifndef SKEIN_SRC_STRATEGY_SELECT_FRACTION_SELECT_FRACTION_H_
#define SKEIN_SRC_STRATEGY_SELECT_FRACTION_SELECT_FRACTION_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the selector `fraction`: a random share of the available workers. {fraction, min: 1}.
// AlreadyExists if the name is taken.
absl::Status RegisterSelectFraction(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SELECT_FRACTION_SELECT_FRACTION_H_
