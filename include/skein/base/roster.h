#ifndef SKEIN_BASE_ROSTER_H_
#define SKEIN_BASE_ROSTER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/ids.h"

namespace skein {

// A set of workers, by leaf index: who takes part in a round, who is in a partial. Kept as sorted
// disjoint intervals, so a full subtree costs one interval whatever its size. A value type.
class Roster {
 public:
  // Leaves begin <= i < end.
  struct Interval {
    LeafIndex begin = 0;
    LeafIndex end = 0;
    friend bool operator==(const Interval&, const Interval&) = default;
  };

  Roster() = default;
  static Roster Of(std::vector<LeafIndex> leaves);      // any order, duplicates are merged
  static Roster Range(LeafIndex begin, LeafIndex end);  // begin <= i < end

  bool empty() const { return intervals_.empty(); }
  size_t Count() const;
  bool Contains(LeafIndex leaf) const;
  bool Intersects(const Roster& other) const;
  bool IsSubsetOf(const Roster& other) const;
  void Insert(LeafIndex leaf);
  void Merge(const Roster& other);
  Roster Intersection(const Roster& other) const;
  Roster Minus(const Roster& other) const;
  std::vector<LeafIndex> Leaves() const;
  const std::vector<Interval>& intervals() const { return intervals_; }

  // "0-7,9,12-15"; "" for the empty set.
  std::string ToString() const;

  // Varint pairs (gap since the last end, length). Decode refuses what Encode would not write and
  // any leaf at or above `max_leaves` (InvalidArgument), before it takes memory.
  std::string Encode() const;
  static absl::StatusOr<Roster> Decode(const std::string& bytes, LeafIndex max_leaves);

  friend bool operator==(const Roster&, const Roster&) = default;

 private:
  std::vector<Interval> intervals_;
};

}  // namespace skein

#endif  // SKEIN_BASE_ROSTER_H_
