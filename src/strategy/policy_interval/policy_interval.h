#ifndef SKEIN_SRC_STRATEGY_POLICY_INTERVAL_POLICY_INTERVAL_H_
#define SKEIN_SRC_STRATEGY_POLICY_INTERVAL_POLICY_INTERVAL_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the policy `interval`: no barrier; what has come makes a step every `period_s` seconds.
// AlreadyExists if the name is taken.
absl::Status RegisterPolicyInterval(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_POLICY_INTERVAL_POLICY_INTERVAL_H_
