#ifndef SKEIN_SRC_STRATEGY_SGD_SGD_H_
#define SKEIN_SRC_STRATEGY_SGD_SGD_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the server optimizer `sgd`: x' = x + lr * mean difference. {lr: 1}. AlreadyExists if the
// name is taken.
absl::Status RegisterSgd(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SGD_SGD_H_
