#ifndef SKEIN_SRC_STRATEGY_QFEDAVG_QFEDAVG_H_
#define SKEIN_SRC_STRATEGY_QFEDAVG_QFEDAVG_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `qfedavg` {q, lr, max_loss}: those with a high loss count more. AlreadyExists if
// the name is taken.
absl::Status RegisterQFedAvg(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_QFEDAVG_QFEDAVG_H_
