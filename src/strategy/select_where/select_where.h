#ifndef SKEIN_SRC_STRATEGY_SELECT_WHERE_SELECT_WHERE_H_
#define SKEIN_SRC_STRATEGY_SELECT_WHERE_SELECT_WHERE_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the selector `where`: workers whose attributes satisfy an expression. {expression; count or
// fraction of those}. AlreadyExists if the name is taken.
absl::Status RegisterSelectWhere(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SELECT_WHERE_SELECT_WHERE_H_
