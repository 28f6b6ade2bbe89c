#include "base/leaf_set.h"

#include <gtest/gtest.h>

#include "skein/base/random.h"

namespace skein {
namespace {

TEST(LeafSet, IsEmptyAtFirst) {
  EXPECT_TRUE(LeafSet().ToRoster().empty());
  EXPECT_FALSE(LeafSet().Intersects(Roster::Range(0, 1000)));
}

TEST(LeafSet, GrowsBothWays) {
  LeafSet set;
  set.Add(Roster::Range(1000, 1001));
  set.Add(Roster::Range(63, 65));
  set.Add(Roster::Range(5000, 5200));
  EXPECT_EQ(set.ToRoster().ToString(), "63-64,1000,5000-5199");
  EXPECT_TRUE(set.Intersects(Roster::Range(64, 70)));
  EXPECT_FALSE(set.Intersects(Roster::Range(65, 1000)));
  EXPECT_FALSE(set.Intersects(Roster::Range(0, 63)));
  EXPECT_FALSE(set.Intersects(Roster::Range(5200, 100000)));
  EXPECT_TRUE(set.Intersects(Roster::Range(0, 100000)));
}

TEST(LeafSet, WholeWordsAreWhole) {
  LeafSet set;
  set.Add(Roster::Range(64, 192));
  EXPECT_EQ(set.ToRoster(), Roster::Range(64, 192));
  EXPECT_FALSE(set.Intersects(Roster::Range(192, 256)));
}

TEST(LeafSet, IsTheRosterThatWasAdded) {
  Rng rng(7);
  for (int trial = 0; trial < 200; ++trial) {
    LeafSet set;
    Roster roster;
    const auto span = static_cast<LeafIndex>(1 + rng.Below(2000));
    for (int i = 0; i < 50; ++i) {
      const auto begin = static_cast<LeafIndex>(rng.Below(span));
      const auto end = static_cast<LeafIndex>(begin + rng.Below(1 + rng.Below(200)));
      const Roster part = Roster::Range(begin, end);
      ASSERT_EQ(set.Intersects(part), roster.Intersects(part)) << part.ToString();
      set.Add(part);
      roster.Merge(part);
      ASSERT_EQ(set.ToRoster(), roster);
    }
  }
}

}  // namespace
}  // namespace skein
