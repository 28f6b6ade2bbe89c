#ifndef SKEIN_SRC_STRATEGY_MIXING_MIXING_H_
#define SKEIN_SRC_STRATEGY_MIXING_MIXING_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the two ways to mix contributions of different bases:
//   deltas  FedBuff's: c_b = s_b W_b / D, with D = sum of W_b (divisor: weights, with weights of 1
//           the paper's K) or sum of s_b W_b (divisor: discounted)
//   models  FedAsync's: c_b = alpha s_b                                            {alpha: 0.6}
// AlreadyExists if a name is taken.
absl::Status RegisterMixing(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_MIXING_MIXING_H_
