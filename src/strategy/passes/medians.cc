#include "strategy/passes/medians.h"

#include <algorithm>

#include "strategy/elements.h"
#include "strategy/held/value_order.h"

namespace skein {

std::vector<uint64_t> MiddleRanks(uint64_t contributions) {
  if (contributions % 2 != 0) return {contributions / 2};
  return {contributions / 2 - 1, contributions / 2};
}

void WriteMedians(const RankSearch& search, const PassScope::Piece& piece, StepWriter& step) {
  std::vector<double> floats;
  std::vector<int64_t> integers;
  for (uint64_t at = 0; at < piece.count; at += kFoldChunk) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(kFoldChunk, piece.count - at));
    const uint64_t first = piece.first + at;
    if (piece.floats) {
      floats.resize(count);
      for (size_t i = 0; i < count; ++i) {
        floats[i] = MiddleOf(search.Float(0, first + i), search.Float(1, first + i));
      }
      step.Floats(piece.tensor, at, floats);
    } else {
      integers.resize(count);
      for (size_t i = 0; i < count; ++i) {
        integers[i] = MiddleOf(search.Integer(0, first + i), search.Integer(1, first + i));
      }
      step.Integers(piece.tensor, at, integers);
    }
  }
}

}  // namespace skein
