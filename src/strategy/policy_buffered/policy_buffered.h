#ifndef SKEIN_SRC_STRATEGY_POLICY_BUFFERED_POLICY_BUFFERED_H_
#define SKEIN_SRC_STRATEGY_POLICY_BUFFERED_POLICY_BUFFERED_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the policy `buffered`: no barrier; every `size` contributions make a step, or fewer after
// `max_wait_s`. {size, max_wait_s}. AlreadyExists if the name is taken.
absl::Status RegisterPolicyBuffered(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_POLICY_BUFFERED_POLICY_BUFFERED_H_
