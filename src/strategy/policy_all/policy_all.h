#ifndef SKEIN_SRC_STRATEGY_POLICY_ALL_POLICY_ALL_H_
#define SKEIN_SRC_STRATEGY_POLICY_ALL_POLICY_ALL_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the policy `all`: every child must contribute. {timeout_s: 600}. AlreadyExists if the name
// is taken.
absl::Status RegisterPolicyAll(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_POLICY_ALL_POLICY_ALL_H_
