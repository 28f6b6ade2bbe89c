#ifndef SKEIN_SRC_BASE_LEAF_SET_H_
#define SKEIN_SRC_BASE_LEAF_SET_H_

#include <cstdint>
#include <deque>

#include "skein/base/roster.h"

namespace skein {

// A roster while it grows: a bit for each leaf between the first and the last, so that leaves may
// come in any order at the same cost. A value type.
class LeafSet {
 public:
  void Add(const Roster& roster);
  bool Intersects(const Roster& roster) const;
  Roster ToRoster() const;

 private:
  LeafIndex first_word_ = 0;  // of the words that are there
  std::deque<uint64_t> words_;
};

}  // namespace skein

#endif  // SKEIN_SRC_BASE_LEAF_SET_H_
