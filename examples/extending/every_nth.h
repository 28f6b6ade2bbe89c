#ifndef EXTENDING_EVERY_NTH_H_
#define EXTENDING_EVERY_NTH_H_

#include <skein/strategy/registry.h>

// Adds the selector `every-nth`: of the workers that are there every n-th, from another one on each
// round, so that each takes part once in n rounds.
absl::Status RegisterEveryNth(skein::StrategyRegistries& registries);

#endif  // EXTENDING_EVERY_NTH_H_
