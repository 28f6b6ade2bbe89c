#ifndef SKEIN_SRC_STRATEGY_POLICY_FEDCOMPASS_POLICY_FEDCOMPASS_H_
#define SKEIN_SRC_STRATEGY_POLICY_FEDCOMPASS_POLICY_FEDCOMPASS_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the policy `fedcompass`: no barrier; local steps by measured speed, so that groups of
// children arrive together. {q_min: 20, q_max: 100, speed_momentum: 0.9, latest_time_factor: 1.2}.
// AlreadyExists if the name is taken.
absl::Status RegisterPolicyFedCompass(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_POLICY_FEDCOMPASS_POLICY_FEDCOMPASS_H_
