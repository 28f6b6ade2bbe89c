#ifndef EXTENDING_CAPPED_FEDAVG_H_
#define EXTENDING_CAPPED_FEDAVG_H_

#include <skein/strategy/registry.h>

// Adds the fold `capped-fedavg`: FedAvg in which an update weighs its samples, but at most `cap`,
// so that one large site does not drown the others.
absl::Status RegisterCappedFedAvg(skein::StrategyRegistries& registries);

#endif  // EXTENDING_CAPPED_FEDAVG_H_
