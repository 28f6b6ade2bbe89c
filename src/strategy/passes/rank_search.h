#ifndef SKEIN_SRC_STRATEGY_PASSES_RANK_SEARCH_H_
#define SKEIN_SRC_STRATEGY_PASSES_RANK_SEARCH_H_

#include <cstdint>
#include <optional>
#include <vector>

#include <absl/status/statusor.h>

#include "strategy/passes/pass_query.h"
#include "strategy/passes/rank_prefixes.h"

namespace skein {

// Finds the values at one or two ranks, of each element by itself, by counting: in each of 32
// passes, how many of the values that begin like the one at the rank have which digit next. At the
// node that finishes; memory for three or six numbers an element.
class RankSearch {
 public:
  // `ranks`: one or two, ascending, each below `contributions`; 0 is the lowest.
  RankSearch(const PassScope& scope, PassOver over, uint64_t contributions,
             std::vector<uint64_t> ranks);

  PassQuery First() const;
  // The next question, or none if all digits are found. InvalidArgument for an answer that cannot
  // be.
  absl::StatusOr<std::optional<PassQuery>> Next(const PackedTensors& answer);
  // Those found by the last answer, which nobody has been told.
  std::vector<uint8_t> TakeDigits() { return std::move(digits_); }

  // Once all are found. `rank`: 0 or 1; if one rank was given, both are it.
  float Float(int rank, uint64_t i) const { return FloatOfKey(prefixes_.floats(Of(rank))[i]); }
  int64_t Integer(int rank, uint64_t i) const {
    return IntegerOfKey(prefixes_.integers(Of(rank))[i]);
  }
  // Of the values equal to that at the rank: how many there are, and the number of the rank among
  // them.
  struct Group {
    uint32_t size = 0;
    uint32_t place = 0;
  };
  Group FloatGroup(int rank, uint64_t i) const { return floats_[Of(rank)][i]; }
  Group IntegerGroup(int rank, uint64_t i) const { return integers_[Of(rank)][i]; }

 private:
  int Of(int rank) const { return rank < prefixes_.searches() ? rank : 0; }

  const PassOver over_;
  const uint64_t contributions_;
  RankPrefixes prefixes_;
  std::vector<Group> floats_[2];
  std::vector<Group> integers_[2];
  std::vector<uint8_t> digits_;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_PASSES_RANK_SEARCH_H_
