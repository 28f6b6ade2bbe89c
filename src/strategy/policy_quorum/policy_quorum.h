#ifndef SKEIN_SRC_STRATEGY_POLICY_QUORUM_POLICY_QUORUM_H_
#define SKEIN_SRC_STRATEGY_POLICY_QUORUM_POLICY_QUORUM_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the policy `quorum`: a share of the children suffices. {fraction or count, deadline_s,
// timeout_s: 600}. AlreadyExists if the name is taken.
absl::Status RegisterPolicyQuorum(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_POLICY_QUORUM_POLICY_QUORUM_H_
