#ifndef SKEIN_SRC_STRATEGY_POLICY_EVERY_UPDATE_POLICY_EVERY_UPDATE_H_
#define SKEIN_SRC_STRATEGY_POLICY_EVERY_UPDATE_POLICY_EVERY_UPDATE_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the policy `every_update`: no barrier; every contribution makes a step, and at an inner node
// goes up by itself. AlreadyExists if the name is taken.
absl::Status RegisterPolicyEveryUpdate(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_POLICY_EVERY_UPDATE_POLICY_EVERY_UPDATE_H_
