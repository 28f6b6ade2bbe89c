#ifndef SKEIN_SRC_STRATEGY_POLICY_TIERED_POLICY_TIERED_H_
#define SKEIN_SRC_STRATEGY_POLICY_TIERED_POLICY_TIERED_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the policy `tiered`: groups of children by measured speed, with a barrier inside each and
// none across. {groups, speed_momentum: 0.9, patience: 2, regroup_every: 20, weights: inverse}.
// AlreadyExists if the name is taken.
absl::Status RegisterPolicyTiered(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_POLICY_TIERED_POLICY_TIERED_H_
