#include "skein/base/roster.h"

#include <algorithm>

namespace skein {
namespace {

using Interval = Roster::Interval;

void PutVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Reads a varint of at most 32 bits in its shortest form at `pos`, which it moves on.
bool GetVarint(const std::string& bytes, size_t& pos, uint32_t& value) {
  uint64_t result = 0;
  for (int shift = 0; shift < 35 && pos < bytes.size(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes[pos++]);
    result |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      if ((byte == 0 && shift > 0) || result > UINT32_MAX) return false;
      value = static_cast<uint32_t>(result);
      return true;
    }
  }
  return false;
}

}  // namespace

Roster Roster::Of(std::vector<LeafIndex> leaves) {
  std::sort(leaves.begin(), leaves.end());
  Roster roster;
  for (LeafIndex leaf : leaves) {
    if (!roster.intervals_.empty() && leaf <= roster.intervals_.back().end) {
      roster.intervals_.back().end = std::max(roster.intervals_.back().end, leaf + 1);
    } else {
      roster.intervals_.push_back({leaf, leaf + 1});
    }
  }
  return roster;
}

Roster Roster::Range(LeafIndex begin, LeafIndex end) {
  Roster roster;
  if (begin < end) roster.intervals_.push_back({begin, end});
  return roster;
}

size_t Roster::Count() const {
  size_t count = 0;
  for (const Interval& i : intervals_) count += i.end - i.begin;
  return count;
}

bool Roster::Contains(LeafIndex leaf) const {
  auto it = std::upper_bound(intervals_.begin(), intervals_.end(), leaf,
                             [](LeafIndex l, const Interval& i) { return l < i.end; });
  return it != intervals_.end() && it->begin <= leaf;
}

bool Roster::Intersects(const Roster& other) const { return !Intersection(other).empty(); }

bool Roster::IsSubsetOf(const Roster& other) const { return Intersection(other) == *this; }

void Roster::Insert(LeafIndex leaf) { Merge(Range(leaf, leaf + 1)); }

void Roster::Merge(const Roster& other) {
  if (other.empty()) return;
  std::vector<Interval> all;
  all.reserve(intervals_.size() + other.intervals_.size());
  std::merge(intervals_.begin(), intervals_.end(), other.intervals_.begin(), other.intervals_.end(),
             std::back_inserter(all),
             [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  intervals_.clear();
  for (const Interval& i : all) {
    if (!intervals_.empty() && i.begin <= intervals_.back().end) {
      intervals_.back().end = std::max(intervals_.back().end, i.end);
    } else {
      intervals_.push_back(i);
    }
  }
}

Roster Roster::Intersection(const Roster& other) const {
  Roster result;
  auto a = intervals_.begin();
  auto b = other.intervals_.begin();
  while (a != intervals_.end() && b != other.intervals_.end()) {
    const LeafIndex begin = std::max(a->begin, b->begin);
    const LeafIndex end = std::min(a->end, b->end);
    if (begin < end) result.intervals_.push_back({begin, end});
    (a->end < b->end ? a : b)++;
  }
  return result;
}

Roster Roster::Minus(const Roster& other) const {
  Roster result;
  auto b = other.intervals_.begin();
  for (Interval left : intervals_) {
    while (b != other.intervals_.end() && b->end <= left.begin) ++b;
    for (auto cut = b; cut != other.intervals_.end() && cut->begin < left.end; ++cut) {
      if (left.begin < cut->begin) result.intervals_.push_back({left.begin, cut->begin});
      left.begin = std::min(cut->end, left.end);
    }
    if (left.begin < left.end) result.intervals_.push_back(left);
  }
  return result;
}

std::vector<LeafIndex> Roster::Leaves() const {
  std::vector<LeafIndex> leaves;
  leaves.reserve(Count());
  for (const Interval& i : intervals_) {
    for (LeafIndex leaf = i.begin; leaf < i.end; ++leaf) leaves.push_back(leaf);
  }
  return leaves;
}

std::string Roster::ToString() const {
  std::string text;
  for (const Interval& i : intervals_) {
    if (!text.empty()) text += ',';
    text += std::to_string(i.begin);
    if (i.end - i.begin > 1) text += "-" + std::to_string(i.end - 1);
  }
  return text;
}

std::string Roster::Encode() const {
  std::string bytes;
  LeafIndex last = 0;
  for (const Interval& i : intervals_) {
    PutVarint(i.begin - last, bytes);
    PutVarint(i.end - i.begin, bytes);
    last = i.end;
  }
  return bytes;
}

absl::StatusOr<Roster> Roster::Decode(const std::string& bytes, LeafIndex max_leaves) {
  Roster roster;
  uint64_t last = 0;
  for (size_t pos = 0; pos < bytes.size();) {
    uint32_t gap = 0;
    uint32_t length = 0;
    if (!GetVarint(bytes, pos, gap) || !GetVarint(bytes, pos, length)) {
      return absl::InvalidArgumentError("roster: malformed varint");
    }
    const uint64_t begin = last + gap;
    const uint64_t end = begin + length;
    if (length == 0 || (gap == 0 && !roster.empty())) {
      return absl::InvalidArgumentError("roster: not in canonical form");
    }
    if (end > max_leaves) {
      return absl::InvalidArgumentError("roster: leaf " + std::to_string(end - 1) +
                                        " is beyond the last one, " + std::to_string(max_leaves) +
                                        " leaves");
    }
    roster.intervals_.push_back({static_cast<LeafIndex>(begin), static_cast<LeafIndex>(end)});
    last = end;
  }
  return roster;
}

}  // namespace skein
