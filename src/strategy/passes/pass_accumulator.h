#ifndef SKEIN_SRC_STRATEGY_PASSES_PASS_ACCUMULATOR_H_
#define SKEIN_SRC_STRATEGY_PASSES_PASS_ACCUMULATOR_H_

#include <cstdint>
#include <memory>

#include "strategy/held/holding_fold.h"

namespace skein {

// The accumulator of a fold in passes, at any node that works with it: it holds the contributions
// of the node's workers, adds up what subtrees answer, and at the node that finishes leads through
// the passes. `rule` has `conduct`; `workers` are the leaves of the tree.
std::unique_ptr<Accumulator> MakePassAccumulator(const HoldingRule& rule, const HoldLimits& limits,
                                                 const Manifest& model, const NumericPlan& plan,
                                                 uint64_t workers,
                                                 std::shared_ptr<BufferPool> buffers);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_PASSES_PASS_ACCUMULATOR_H_
