#ifndef SKEIN_SRC_STRATEGY_SIGNSGD_SIGNSGD_H_
#define SKEIN_SRC_STRATEGY_SIGNSGD_SIGNSGD_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the fold `signsgd`: a majority vote on signs. AlreadyExists if the name is taken.
absl::Status RegisterSignSgd(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SIGNSGD_SIGNSGD_H_
