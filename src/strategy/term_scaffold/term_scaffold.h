#ifndef SKEIN_SRC_STRATEGY_TERM_SCAFFOLD_TERM_SCAFFOLD_H_
#define SKEIN_SRC_STRATEGY_TERM_SCAFFOLD_TERM_SCAFFOLD_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the term `scaffold`. AlreadyExists if the name is taken.
absl::Status RegisterScaffoldTerm(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_TERM_SCAFFOLD_TERM_SCAFFOLD_H_
