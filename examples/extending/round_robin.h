#ifndef EXTENDING_ROUND_ROBIN_H_
#define EXTENDING_ROUND_ROBIN_H_

#include <skein/strategy/registry.h>

// Adds the selector `round-robin`: `count` workers a round, in turn, so that each takes part
// equally often however few are asked at once.
absl::Status RegisterRoundRobin(skein::StrategyRegistries& registries);

#endif  // EXTENDING_ROUND_ROBIN_H_
