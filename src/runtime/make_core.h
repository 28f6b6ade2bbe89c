#ifndef SKEIN_SRC_RUNTIME_MAKE_CORE_H_
#define SKEIN_SRC_RUNTIME_MAKE_CORE_H_

#include <cstdint>
#include <memory>

#include "runtime/aggregator_core.h"
#include "skein/strategy/strategy_spec.h"

namespace skein {

// The core of an aggregating node: with a barrier or without, as its policy says. Whoever drives it
// sets what it may stage once a model is known.
std::unique_ptr<AggregatorCore> MakeAggregatorCore(const NodeView& view, const TierParts& parts,
                                                   const RuntimeLimits& limits);

// Whether some of its children are no workers.
bool HasAggregators(const NodeView& view);

// Whether a node asks those below in passes: with workers alone it has all contributions itself.
bool LeadsPasses(const NodeView& view, const TierParts& parts);

// What a node may stage, of models of so many bytes.
uint64_t StagingBytes(const RuntimeLimits& limits, uint64_t model_bytes);

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_MAKE_CORE_H_
