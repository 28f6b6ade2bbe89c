#ifndef SKEIN_SRC_STRATEGY_KRUM_KRUM_FOLD_H_
#define SKEIN_SRC_STRATEGY_KRUM_KRUM_FOLD_H_

#include <functional>
#include <string>

#include "strategy/held/holding_fold.h"

namespace skein {

// The fold that takes the mean of the `selected(n)` contributions with the best scores: of the
// parameters; all else takes the median of these contributions, since the scores say nothing of it.
std::shared_ptr<const Fold> MakeKrumFold(HoldingRule names, size_t f,
                                         std::function<size_t(size_t)> selected, HoldLimits limits);

// The parameter `f`, which Krum and what is built on it share.
ParamSpec FaultyParam();

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_KRUM_KRUM_FOLD_H_
