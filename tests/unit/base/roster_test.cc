#include "skein/base/roster.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "support/iterations.h"

namespace skein {
namespace {

std::set<LeafIndex> RandomSet(Rng& rng) {
  std::set<LeafIndex> set;
  const uint64_t count = rng.Below(30);
  for (uint64_t i = 0; i < count; ++i) set.insert(static_cast<LeafIndex>(rng.Below(40)));
  return set;
}

Roster ToRoster(const std::set<LeafIndex>& set) { return Roster::Of({set.begin(), set.end()}); }

TEST(Roster, AgreesWithSetsInEveryOperation) {
  Rng rng(11);
  for (int i = FuzzIterations(500); i > 0; --i) {
    const auto a = RandomSet(rng), b = RandomSet(rng);
    std::set<LeafIndex> both, either = a, without;
    either.insert(b.begin(), b.end());
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(both, both.end()));
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(),
                        std::inserter(without, without.end()));
    const Roster ra = ToRoster(a), rb = ToRoster(b);
    Roster merged = ra;
    merged.Merge(rb);
    EXPECT_EQ(merged, ToRoster(either));
    EXPECT_EQ(ra.Intersection(rb), ToRoster(both));
    EXPECT_EQ(ra.Minus(rb), ToRoster(without));
    EXPECT_EQ(ra.Intersects(rb), !both.empty());
    EXPECT_EQ(ra.IsSubsetOf(rb), without.empty());
    EXPECT_EQ(ra.Count(), a.size());
    for (LeafIndex leaf = 0; leaf < 41; ++leaf) EXPECT_EQ(ra.Contains(leaf), a.count(leaf) == 1);
    EXPECT_EQ(ra.Leaves(), std::vector<LeafIndex>(a.begin(), a.end()));
    const auto decoded = Roster::Decode(ra.Encode(), 40);
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(*decoded, ra);
  }
}

TEST(Roster, PrintsIntervals) {
  EXPECT_EQ(Roster::Of({9, 0, 1, 2, 15, 14, 1}).ToString(), "0-2,9,14-15");
  EXPECT_EQ(Roster().ToString(), "");
}

TEST(Roster, InsertJoinsNeighbors) {
  Roster roster = Roster::Of({1, 3});
  roster.Insert(2);
  EXPECT_EQ(roster, Roster::Range(1, 4));
}

TEST(Roster, DecodeRefusesWhatEncodeWouldNotWrite) {
  EXPECT_FALSE(Roster::Decode(std::string("\x00\x00", 2), 10).ok());          // empty interval
  EXPECT_FALSE(Roster::Decode(std::string("\x00\x01\x00\x01", 4), 10).ok());  // not merged
  EXPECT_FALSE(Roster::Decode(std::string("\x00", 1), 10).ok());              // half a pair
  EXPECT_FALSE(Roster::Decode(std::string("\x80\x00\x01", 3), 10).ok());      // long varint
  EXPECT_FALSE(Roster::Decode("\xff\xff\xff\xff\xff\xff\x01", 10).ok());      // overflow
  EXPECT_FALSE(Roster::Decode(Roster::Range(0, 11).Encode(), 10).ok());       // beyond the end
}

}  // namespace
}  // namespace skein
