#ifndef SKEIN_SRC_STRATEGY_TERM_DITTO_TERM_DITTO_H_
#define SKEIN_SRC_STRATEGY_TERM_DITTO_TERM_DITTO_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the term `ditto`. AlreadyExists if the name is taken.
absl::Status RegisterDittoTerm(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_TERM_DITTO_TERM_DITTO_H_
