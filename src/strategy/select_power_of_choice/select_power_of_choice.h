#ifndef SKEIN_SRC_STRATEGY_SELECT_POWER_OF_CHOICE_SELECT_POWER_OF_CHOICE_H_
#define SKEIN_SRC_STRATEGY_SELECT_POWER_OF_CHOICE_SELECT_POWER_OF_CHOICE_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the selector `power-of-choice`: of random candidates those with the highest losses.
// {candidates, count}. AlreadyExists if the name is taken.
absl::Status RegisterSelectPowerOfChoice(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SELECT_POWER_OF_CHOICE_SELECT_POWER_OF_CHOICE_H_
