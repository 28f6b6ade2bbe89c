#include <cmath>

#include <gmock/gmock.h>

#include "strategy/select_power_of_choice/highest_losses.h"
#include "unit/strategy/selectors_fixture.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

Selecting PowerOfChoice(int candidates, int count, const std::string& shape) {
  return Selecting("power-of-choice", {{"candidates", candidates}, {"count", count}}, shape);
}

WorkerReport ReportOf(LeafIndex leaf, uint64_t samples, double loss) {
  return {.leaf = leaf, .num_samples = samples, .loss = loss};
}

// algorithms: d = 4 candidates {a: .3, b: .9, c: .5, d: .7}, m = 2 -> {b, d}.
TEST(HighestLosses, AreTaken) {
  EXPECT_EQ(HighestLosses({{0, .3}, {1, .9}, {2, .5}, {3, .7}}, 2), Roster::Of({1, 3}));
  EXPECT_EQ(HighestLosses({{3, .7}, {1, .9}, {0, .3}, {2, .5}}, 2), Roster::Of({1, 3}));
  EXPECT_EQ(HighestLosses({{7, .5}, {4, .5}, {9, .5}, {5, .1}}, 2), Roster::Of({4, 7}))
      << "the lowest leaf of equals";
  EXPECT_EQ(HighestLosses({{7, .5}, {4, INFINITY}, {2, INFINITY}}, 2), Roster::Of({2, 4}));
  EXPECT_EQ(HighestLosses({{7, .5}}, 2), Roster::Of({7}));
}

TEST(SelectPowerOfChoice, TakesTheHighestLastLosses) {
  Selecting choice = PowerOfChoice(4, 2, "flat:4");
  choice.Tell(1, Roster::Range(0, 4),
              {ReportOf(0, 10, .3), ReportOf(1, 10, .9), ReportOf(2, 10, .5), ReportOf(3, 10, .7)});
  EXPECT_EQ(choice.Chosen(2), Roster::Of({1, 3}));
  choice.Tell(2, Roster::Of({1, 3}), {ReportOf(1, 10, .1), ReportOf(3, 10, .6)});
  EXPECT_EQ(choice.Chosen(3), Roster::Of({2, 3})) << "the last known, of whatever round";
}

TEST(SelectPowerOfChoice, NeverTrainedComesFirst) {
  Selecting choice = PowerOfChoice(4, 2, "flat:4");
  EXPECT_EQ(choice.Chosen(1), Roster::Of({0, 1})) << "all are equal: the lowest leaves";
  choice.Tell(1, Roster::Of({0, 1}), {ReportOf(0, 10, 99), ReportOf(1, 10, 98)});
  EXPECT_EQ(choice.Chosen(2), Roster::Of({2, 3}));
  choice.Tell(2, Roster::Of({2, 3}), {ReportOf(3, 10, .5)});
  EXPECT_EQ(choice.Chosen(3), Roster::Of({0, 2})) << "2 was asked, and its update did not count";
}

TEST(SelectPowerOfChoice, TakesOnlyWhoIsThere) {
  Selecting choice = PowerOfChoice(5, 2, "flat:6");
  choice.available = Roster::Of({2, 4, 5});
  EXPECT_EQ(choice.Chosen(), Roster::Of({2, 4}));
  choice.available = Roster::Of({5});
  EXPECT_EQ(choice.Select().status().code(), absl::StatusCode::kFailedPrecondition);
}

// With d = m every candidate takes part, so the draws can be counted.
TEST(SelectPowerOfChoice, DrawsCandidatesInProportionToTheirSamples) {
  constexpr int kRounds = 4000;
  Selecting choice = PowerOfChoice(1, 1, "flat:4");
  choice.Tell(1, Roster::Range(0, 3), {ReportOf(0, 10, 1), ReportOf(1, 20, 1), ReportOf(2, 30, 1)});
  // The fourth has not told: it counts as the mean of the others, 20.
  const double share[] = {10. / 80, 20. / 80, 30. / 80, 20. / 80};
  int chosen[4] = {};
  for (uint64_t round = 2; round < kRounds + 2; ++round) {
    ++chosen[choice.Chosen(round).Leaves().at(0)];
  }
  for (int leaf = 0; leaf < 4; ++leaf) {
    const double deviation = std::sqrt(kRounds * share[leaf] * (1 - share[leaf]));
    EXPECT_NEAR(chosen[leaf], kRounds * share[leaf], 4.5 * deviation) << leaf;
  }
}

// Without replacement: of two drawn from weights 1 and 2 and 3, the pair {1, 2} has probability
// 1/2 * 1/3 * ... by hand: P(first i) w_i / W times P(second j) w_j / (W - w_i), both orders.
TEST(SelectPowerOfChoice, DrawsOneAfterTheOtherWithoutReplacement) {
  constexpr int kRounds = 4000;
  Selecting choice = PowerOfChoice(2, 2, "flat:3");
  choice.Tell(1, Roster::Range(0, 3), {ReportOf(0, 1, 1), ReportOf(1, 2, 1), ReportOf(2, 3, 1)});
  int without[3] = {};
  for (uint64_t round = 2; round < kRounds + 2; ++round) {
    const Roster chosen = choice.Chosen(round);
    ASSERT_EQ(chosen.Count(), 2u);
    for (LeafIndex leaf = 0; leaf < 3; ++leaf) without[leaf] += chosen.Contains(leaf) ? 0 : 1;
  }
  const double pair_12 = 2. / 6 * 3 / 4 + 3. / 6 * 2 / 3;
  const double pair_02 = 1. / 6 * 3 / 5 + 3. / 6 * 1 / 3;
  const double pair_01 = 1. / 6 * 2 / 5 + 2. / 6 * 1 / 4;
  const double expected[] = {pair_12, pair_02, pair_01};
  for (int leaf = 0; leaf < 3; ++leaf) {
    const double p = expected[leaf];
    EXPECT_NEAR(without[leaf], kRounds * p, 4.5 * std::sqrt(kRounds * p * (1 - p))) << leaf;
  }
}

TEST(SelectPowerOfChoice, GoesByTheHistoryAlone) {
  Selecting a = PowerOfChoice(6, 3, "flat:12");
  Selecting b = a;
  std::vector<std::pair<Roster, std::vector<WorkerReport>>> told;
  Rng rng(5);
  for (uint64_t round = 1; round <= 20; ++round) {
    const Roster chosen = a.Chosen(round);
    std::vector<WorkerReport> reports;
    for (const LeafIndex leaf : chosen.Leaves()) {
      reports.push_back(ReportOf(leaf, 1 + rng.Below(100), rng.Uniform()));
    }
    a.Tell(round, chosen, reports);
    told.emplace_back(chosen, reports);
  }
  // Another life, told of the same rounds.
  for (uint64_t round = 1; round <= 20; ++round) {
    EXPECT_EQ(b.Chosen(round), told[round - 1].first);
    b.Tell(round, told[round - 1].first, told[round - 1].second);
  }
}

TEST(SelectPowerOfChoice, SaysWhenLearnersTellNoLoss) {
  Selecting choice = PowerOfChoice(2, 1, "flat:4");
  choice.Tell(1, Roster::Of({0}), {{.leaf = 0, .num_samples = 5}});
  EXPECT_EQ(Message(choice.Select(2).status()),
            "workers are chosen by their losses and no update came with a finite metric 'loss'; "
            "have the learner's Train return it");
  choice.Tell(2, Roster::Of({1}), {{.leaf = 1, .num_samples = 5, .loss_squared = 4}});
  EXPECT_TRUE(choice.Select(3).ok()) << "squares will do";
}

TEST(SelectPowerOfChoice, SaysWhatCannotBe) {
  EXPECT_EQ(PowerOfChoice(4, 2, "flat:4").Verdict(), "");
  EXPECT_EQ(PowerOfChoice(5, 2, "flat:4").Verdict(),
            "strategy: selector 'power-of-choice' draws 5 candidates and the tree has 4 workers; "
            "lower 'candidates'");
  EXPECT_EQ(
      Refusal(BuiltinStrategies().selectors, "power-of-choice", {{"candidates", 2}, {"count", 3}}),
      "selector 'power-of-choice': 'candidates' is 2, it must be 'count', 3, or more");
  StrategySpec spec;
  spec.selector = {"power-of-choice", {{"candidates", 2}, {"count", 1}}};
  spec.policy = {"every_update", {}};
  EXPECT_THAT(
      Message(ValidateStrategy(spec, *Topology::FromShape("flat:5"), BuiltinStrategies())),
      HasSubstr("has no rounds, and selector 'power-of-choice' chooses by the rounds before"));
  spec.selector = {"power-of-choice", {{"candidates", 200000}, {"count", 150000}}};
  spec.policy = {"all", {}};
  EXPECT_THAT(
      Message(ValidateStrategy(spec, *Topology::FromShape("tree:500x500"), BuiltinStrategies())),
      HasSubstr("takes up to 150000 workers, and reports of at most 131072 can travel"));
}

}  // namespace
}  // namespace skein
