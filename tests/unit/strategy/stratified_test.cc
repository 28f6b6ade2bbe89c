#include <numeric>

#include <gmock/gmock.h>

#include "strategy/select_stratified/apportion.h"
#include "unit/strategy/selectors_fixture.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Apportion, GivesByLargestRemainders) {
  EXPECT_THAT(Apportion({10, 10, 10}, 6), ElementsAre(2, 2, 2));
  EXPECT_THAT(Apportion({10, 20, 70}, 10), ElementsAre(1, 2, 7));
  // Quotas 4.5, 2.25, 2.25: the largest remainder gets the seat that is left.
  EXPECT_THAT(Apportion({20, 10, 10}, 9), ElementsAre(5, 2, 2));
  // Equal remainders: the first.
  EXPECT_THAT(Apportion({5, 5}, 3), ElementsAre(2, 1));
  EXPECT_THAT(Apportion({3, 4}, 7), ElementsAre(3, 4));
}

TEST(Apportion, GivesEveryGroupOneAtLeast) {
  // Quotas 0.1, 0.9, 9: two get one each, the other has the remaining eight.
  EXPECT_THAT(Apportion({1, 9, 90}, 10), ElementsAre(1, 1, 8));
  EXPECT_THAT(Apportion({100, 1, 1, 1}, 4), ElementsAre(1, 1, 1, 1));
  // Quotas 1.5, 0.06, 1.44: with one for the second the third has less than one left.
  EXPECT_THAT(Apportion({50, 2, 48}, 3), ElementsAre(1, 1, 1));
  EXPECT_THAT(Apportion({1}, 1), ElementsAre(1));
}

TEST(Apportion, NeverGivesMoreThanThereAre) {
  Rng rng(3);
  for (int i = 0; i < 2000; ++i) {
    std::vector<size_t> sizes(1 + rng.Below(8));
    for (size_t& size : sizes) size = 1 + rng.Below(rng.Below(2) == 0 ? 4 : 200);
    const size_t members = std::accumulate(sizes.begin(), sizes.end(), size_t{0});
    const size_t seats = sizes.size() + rng.Below(members - sizes.size() + 1);
    const std::vector<size_t> given = Apportion(sizes, seats);
    EXPECT_EQ(std::accumulate(given.begin(), given.end(), size_t{0}), seats);
    for (size_t k = 0; k < sizes.size(); ++k) {
      EXPECT_GE(given[k], 1u);
      EXPECT_LE(given[k], sizes[k]);
    }
  }
}

size_t In(const Roster& roster, LeafIndex begin, LeafIndex end) {
  return roster.Intersection(Roster::Range(begin, end)).Count();
}

TEST(SelectStratified, EveryBranchTakesPartInProportion) {
  const Selecting all("stratified", {{"count", 8}}, "tree:4x8");
  Roster seen;
  for (uint64_t round = 1; round <= 40; ++round) {
    const Roster chosen = all.Chosen(round);
    for (LeafIndex site = 0; site < 4; ++site) EXPECT_EQ(In(chosen, 8 * site, 8 * site + 8), 2u);
    seen.Merge(chosen);
  }
  EXPECT_EQ(seen.Count(), 32u);
}

TEST(SelectStratified, SmallBranchesHaveOne) {
  Selecting some("stratified", {{"fraction", 0.25}}, "tree:4x8");
  some.available = Roster::Range(0, 25);  // 8, 8, 8, 1 of them
  for (uint64_t round = 1; round <= 10; ++round) {
    const Roster chosen = some.Chosen(round);
    EXPECT_EQ(chosen.Count(), 6u);
    EXPECT_TRUE(chosen.Contains(24));
    for (LeafIndex site = 0; site < 3; ++site) EXPECT_GE(In(chosen, 8 * site, 8 * site + 8), 1u);
  }
  some.available = Roster::Of({0, 9, 17, 30});
  EXPECT_EQ(some.Chosen(), some.available) << "the fraction is raised to one of each branch";
  some.available = Roster::Range(8, 24);
  EXPECT_EQ(some.Chosen().Count(), 4u) << "a branch without workers has none";
}

TEST(SelectStratified, TierSaysHowDeepBranchesBegin) {
  const Selecting regions("stratified", {{"count", 6}}, "tree:2x3x4");
  const Selecting sites("stratified", {{"count", 6}, {"tier", 2}}, "tree:2x3x4");
  for (uint64_t round = 1; round <= 10; ++round) {
    EXPECT_EQ(In(regions.Chosen(round), 0, 12), 3u);
    for (LeafIndex site = 0; site < 6; ++site) {
      EXPECT_EQ(In(sites.Chosen(round), 4 * site, 4 * site + 4), 1u);
    }
  }
}

TEST(SelectStratified, WorkersAboveTheTierAreBranchesOfTheirOwn) {
  const Topology uneven = ParseTopologyYaml(R"(nodes:
  - {id: hq, role: coordinator}
  - {id: site, role: aggregator, parent: hq}
  - {id: robot, role: worker, parent: hq}
  - {id: lab, role: aggregator, parent: site}
  - {id: w0, role: worker, parent: lab}
  - {id: w1, role: worker, parent: lab}
  - {id: w2, role: worker, parent: site}
)",
                                            "tree")
                              .value();
  const Selecting one("stratified", {{"count", 3}, {"tier", 2}}, uneven);
  for (uint64_t round = 1; round <= 5; ++round) {
    const Roster chosen = one.Chosen(round);
    for (const char* id : {"robot", "w2"}) {
      EXPECT_TRUE(chosen.Contains(uneven.node(*uneven.Find(id)).leaf_begin)) << id;
    }
  }
}

// Who is drawn from one branch does not depend on the others.
TEST(SelectStratified, BranchesDrawByThemselves) {
  Selecting all("stratified", {{"count", 8}}, "tree:4x8");
  Selecting fewer = all;
  fewer.available = Roster::Range(0, 8);
  fewer.available.Merge(Roster::Range(16, 32));
  for (uint64_t round = 1; round <= 5; ++round) {
    const Roster first = Roster::Range(0, 8);
    const Roster a = all.Chosen(round).Intersection(first);
    const Roster b = fewer.Chosen(round).Intersection(first);
    EXPECT_TRUE(a.IsSubsetOf(b)) << a.ToString() << " and " << b.ToString();
  }
}

TEST(SelectStratified, SaysWhatCannotBe) {
  EXPECT_EQ(Selecting("stratified", {{"count", 4}}, "tree:4x8").Verdict(), "");
  EXPECT_EQ(Selecting("stratified", {{"count", 3}}, "tree:4x8").Verdict(),
            "strategy: selector 'stratified' takes 3 workers of 4 branches, and every branch is to "
            "take part; raise 'count'");
  EXPECT_EQ(Selecting("stratified", {{"count", 5}, {"tier", 2}}, "tree:2x3x4").Verdict(),
            "strategy: selector 'stratified' takes 5 workers of 6 branches, and every branch is to "
            "take part; raise 'count', or lower 'tier'");
  EXPECT_EQ(Selecting("stratified", {{"count", 5}, {"tier", 3}}, "tree:4x8").Verdict(),
            "strategy: selector 'stratified' has branches at tier 3 and the tree's tiers below the "
            "root are 1 to 2; lower 'tier'");
  EXPECT_THAT(Selecting("stratified", {{"count", 33}}, "tree:4x8").Verdict(),
              HasSubstr("takes 33 workers or more and the tree has 32"));
  EXPECT_THAT(Refusal(BuiltinStrategies().selectors, "stratified"),
              HasSubstr("'count' or 'fraction' is required"));
  Selecting all("stratified", {{"count", 4}}, "tree:4x8");
  all.available = Roster::Of({0, 1});
  EXPECT_EQ(all.Select().status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace skein
