#ifndef SKEIN_SRC_STRATEGY_PASSES_MEDIANS_H_
#define SKEIN_SRC_STRATEGY_PASSES_MEDIANS_H_

#include <cstdint>
#include <vector>

#include "strategy/held/step_writer.h"
#include "strategy/passes/rank_search.h"

namespace skein {

// The ranks whose values the median is made of: one, or of an even number two.
std::vector<uint64_t> MiddleRanks(uint64_t contributions);
// The medians of a piece of what was searched for these ranks.
void WriteMedians(const RankSearch& search, const PassScope::Piece& piece, StepWriter& step);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_PASSES_MEDIANS_H_
