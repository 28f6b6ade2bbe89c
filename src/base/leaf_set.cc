#include "base/leaf_set.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace skein {
namespace {

constexpr LeafIndex kBits = 64;

// Bits begin <= i < end of one word.
uint64_t Mask(LeafIndex begin, LeafIndex end) {
  const uint64_t below_end = end == kBits ? ~uint64_t{0} : (uint64_t{1} << end) - 1;
  return below_end & ~((uint64_t{1} << begin) - 1);
}

// Calls visit(word, mask) for each word that the interval touches, while that returns true.
template <typename Visit>
bool ForWords(const Roster::Interval& interval, Visit visit) {
  for (LeafIndex word = interval.begin / kBits; word <= (interval.end - 1) / kBits; ++word) {
    const LeafIndex start = word * kBits;
    const LeafIndex begin = std::max(interval.begin, start) - start;
    const LeafIndex end = std::min<uint64_t>(interval.end, uint64_t{start} + kBits) - start;
    if (!visit(word, Mask(begin, end))) return false;
  }
  return true;
}

}  // namespace

void LeafSet::Add(const Roster& roster) {
  for (const Roster::Interval& interval : roster.intervals()) {
    const LeafIndex first = interval.begin / kBits;
    const LeafIndex last = (interval.end - 1) / kBits;
    if (words_.empty()) first_word_ = first;
    while (first < first_word_) {
      words_.push_front(0);
      --first_word_;
    }
    if (last >= first_word_ + words_.size()) words_.resize(last - first_word_ + 1);
    ForWords(interval, [&](LeafIndex word, uint64_t mask) {
      words_[word - first_word_] |= mask;
      return true;
    });
  }
}

bool LeafSet::Intersects(const Roster& roster) const {
  for (const Roster::Interval& interval : roster.intervals()) {
    const bool apart = ForWords(interval, [&](LeafIndex word, uint64_t mask) {
      const bool there = word >= first_word_ && word - first_word_ < words_.size();
      return !there || (words_[word - first_word_] & mask) == 0;
    });
    if (!apart) return true;
  }
  return false;
}

Roster LeafSet::ToRoster() const {
  std::vector<LeafIndex> leaves;
  for (size_t i = 0; i < words_.size(); ++i) {
    const LeafIndex start = (first_word_ + static_cast<LeafIndex>(i)) * kBits;
    for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
      leaves.push_back(start + static_cast<LeafIndex>(std::countr_zero(word)));
    }
  }
  return Roster::Of(std::move(leaves));
}

}  // namespace skein
