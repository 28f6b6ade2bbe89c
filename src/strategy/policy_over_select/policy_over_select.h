#ifndef SKEIN_SRC_STRATEGY_POLICY_OVER_SELECT_POLICY_OVER_SELECT_H_
#define SKEIN_SRC_STRATEGY_POLICY_OVER_SELECT_POLICY_OVER_SELECT_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the policy `over_select`: asks more children than it needs and closes with the quickest.
// {factor: 1.3, min_fraction: 0.8, deadline_s: 600}. AlreadyExists if the name is taken.
absl::Status RegisterPolicyOverSelect(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_POLICY_OVER_SELECT_POLICY_OVER_SELECT_H_
