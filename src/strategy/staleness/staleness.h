#ifndef SKEIN_SRC_STRATEGY_STALENESS_STALENESS_H_
#define SKEIN_SRC_STRATEGY_STALENESS_STALENESS_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the weights by staleness u, each with `max`, beyond which contributions are refused:
//   constant      1
//   polynomial    (1 + u)^-a                                      {a: 0.5}
//   hinge         1 up to u = b, then 1 / (a (u - b) + 1)         {a: 10, b: 4}
//   exponential   exp(-a u)                                       {a: 0.5}
//   inverse-sqrt  1 / sqrt(1 + u)
// AlreadyExists if a name is taken.
absl::Status RegisterStaleness(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_STALENESS_STALENESS_H_
