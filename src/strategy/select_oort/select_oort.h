#ifndef SKEIN_SRC_STRATEGY_SELECT_OORT_SELECT_OORT_H_
#define SKEIN_SRC_STRATEGY_SELECT_OORT_SELECT_OORT_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the selector `oort`: workers that are useful, quick, or not known yet. {count, and the
// constants of the paper}. AlreadyExists if the name is taken.
absl::Status RegisterSelectOort(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SELECT_OORT_SELECT_OORT_H_
