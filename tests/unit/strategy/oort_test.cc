#include <cmath>

#include <gmock/gmock.h>

#include "strategy/select_oort/utility.h"
#include "unit/strategy/selectors_fixture.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

WorkerReport ReportOf(LeafIndex leaf, uint64_t samples, double loss, double seconds = 1) {
  return {.leaf = leaf, .num_samples = samples, .loss = loss, .seconds = seconds};
}

Selecting Oort(ValueMap params, const std::string& shape) {
  return Selecting("oort", params, shape);
}

// ---- the formulas ----

TEST(OortUtility, IsThatOfThePaper) {
  // Losses 1, 2, 2: 3 sqrt(9 / 3).
  const WorkerRecord record{.last_round = 1, .num_samples = 3, .loss_squared = 3};
  const double statistical = StatisticalUtility(record);
  EXPECT_NEAR(statistical, 5.1961524227, 1e-10);
  EXPECT_NEAR(statistical * SystemUtility(10, 20, 2), 1.2990381057, 1e-10);
  EXPECT_NEAR(statistical * SystemUtility(10, 5, 2), 5.1961524227, 1e-10);
  EXPECT_EQ(SystemUtility(10, 10, 2), 1);
  EXPECT_NEAR(TemporalUncertainty(100, 25), .1357228085, 1e-10);
  EXPECT_EQ(TemporalUncertainty(1, 1), 0);
}

TEST(OortUtility, TheMeanLossStandsForItsSquares) {
  const WorkerRecord record{.last_round = 1, .num_samples = 3, .loss = 5. / 3};
  EXPECT_DOUBLE_EQ(StatisticalUtility(record), 5);
  EXPECT_EQ(StatisticalUtility({.last_round = 1, .num_samples = 3}), 0);
}

TEST(OortQuantile, IsOneOfTheValues) {
  EXPECT_EQ(Quantile({5}, 0.95), 5);
  std::vector<double> twenty;
  for (int i = 0; i < 20; ++i) twenty.push_back(19 - i);
  EXPECT_EQ(Quantile(twenty, 0.95), 19);
  EXPECT_EQ(Quantile(twenty, 0.90), 18);
  EXPECT_EQ(Quantile(twenty, 0), 0);
  EXPECT_EQ(Quantile(twenty, 1), 19);
}

TEST(OortExploration, FallsToItsFloor) {
  EXPECT_DOUBLE_EQ(Exploration(1, .9, .98, .2), .9);
  EXPECT_DOUBLE_EQ(Exploration(2, .9, .98, .2), .882);
  EXPECT_NEAR(Exploration(50, .9, .98, .2), .9 * std::pow(.98, 49), 1e-12);
  EXPECT_EQ(Exploration(76, .9, .98, .2), .2) << ".9 * .98^75 = .1978";
  EXPECT_GT(Exploration(75, .9, .98, .2), .2);
}

TEST(OortPacer, LetsGoWhenAWindowIsOfLessUse) {
  std::vector<SelectionHistory::RoundUtility> rounds;
  const double sums[] = {5, 5, 4, 4, 4, 4, 9, 9, 1, 1};  // windows of two: 10, 8, 8, 18, 2
  for (uint64_t i = 0; i < 10; ++i) rounds.push_back({i + 1, sums[i]});
  EXPECT_EQ(PacerSteps(rounds, 3, 2), 0u);
  EXPECT_EQ(PacerSteps(rounds, 4, 2), 0u) << "the second window is not complete";
  EXPECT_EQ(PacerSteps(rounds, 5, 2), 1u);
  EXPECT_EQ(PacerSteps(rounds, 7, 2), 1u) << "no less";
  EXPECT_EQ(PacerSteps(rounds, 9, 2), 1u) << "more";
  EXPECT_EQ(PacerSteps(rounds, 11, 2), 2u);
  EXPECT_EQ(PacerSteps({}, 11, 2), 0u);
}

// ---- the choice ----

TEST(SelectOort, ExploresFirst) {
  Selecting oort = Oort({{"count", 10}}, "flat:40");
  Roster seen;
  for (uint64_t round = 1; round <= 4; ++round) {
    const Roster chosen = oort.Chosen(round);
    EXPECT_EQ(chosen.Count(), 10u);
    // A tenth of ten may be exploited: .9, .882 and so on are explored.
    EXPECT_LE(chosen.Intersection(seen).Count(), round == 1 ? 0u : 1u) << round;
    std::vector<WorkerReport> reports;
    for (const LeafIndex leaf : chosen.Leaves()) reports.push_back(ReportOf(leaf, 10, 1));
    oort.Tell(round, chosen, reports);
    seen.Merge(chosen);
  }
  EXPECT_GE(seen.Count(), 37u);
}

// Eight of ten are exploited when little is explored: those of the highest utility.
TEST(SelectOort, ExploitsTheUseful) {
  Selecting oort = Oort({{"count", 10}, {"exploration", 0.2}}, "flat:100");
  std::vector<WorkerReport> reports;
  for (LeafIndex leaf = 0; leaf < 90; ++leaf)
    reports.push_back(ReportOf(leaf, 10, leaf < 8 ? 9 : .1));
  oort.Tell(1, Roster::Range(0, 90), reports);
  for (uint64_t round = 2; round <= 12; ++round) {
    const Roster chosen = oort.Chosen(round);
    EXPECT_EQ(chosen.Intersection(Roster::Range(0, 8)).Count(), 8u);
    EXPECT_EQ(chosen.Intersection(Roster::Range(90, 100)).Count(), 2u);
  }
}

// All within 95 % of the last one of the best are drawn in proportion to utility.
TEST(SelectOort, CutsOffBelowTheBest) {
  Selecting oort =
      Oort({{"count", 2}, {"exploration", 0}, {"exploration_min", 0}, {"clip", 1}}, "flat:5");
  oort.Tell(1, Roster::Range(0, 5),
            {ReportOf(0, 100, 1), ReportOf(1, 100, .99), ReportOf(2, 100, .96),
             ReportOf(3, 100, .93), ReportOf(4, 100, .5)});
  Roster seen;
  for (uint64_t round = 2; round <= 60; ++round) {
    const Roster chosen = oort.Chosen(round);
    EXPECT_EQ(chosen.Count(), 2u);
    seen.Merge(chosen);
  }
  EXPECT_EQ(seen, Roster::Range(0, 3)) << ".93 is below .95 * .99";
}

TEST(SelectOort, ClipsOutliers) {
  ValueMap params = {{"count", 1}, {"exploration", 0}, {"exploration_min", 0}, {"cutoff", 0}};
  std::vector<WorkerReport> reports;
  for (LeafIndex leaf = 0; leaf < 20; ++leaf) {
    reports.push_back(ReportOf(leaf, 10, leaf == 3 ? 1e9 : 1));
  }
  const auto times = [&](double clip) {
    params["clip"] = clip;
    Selecting oort = Oort(params, "flat:20");
    oort.Tell(1, Roster::Range(0, 20), reports);
    int chosen = 0;
    for (uint64_t round = 2; round < 202; ++round) chosen += oort.Chosen(round).Contains(3) ? 1 : 0;
    return chosen;
  };
  EXPECT_EQ(times(1), 200) << "as it comes, the outlier is all";
  EXPECT_LT(times(0.9), 40) << "it is as the others";
}

TEST(SelectOort, PrefersTheQuick) {
  ValueMap params = {{"count", 1}, {"exploration", 0}, {"exploration_min", 0}, {"cutoff", 1}};
  const auto chosen = [&](const ValueMap& more) {
    ValueMap all = params;
    for (const auto& [name, value] : more) all[name] = value;
    Selecting oort = Oort(all, "flat:2");
    // 12 and 10 of statistical utility, the first takes 20 s and the second 10.
    oort.Tell(1, Roster::Range(0, 2), {ReportOf(0, 12, 1, 20), ReportOf(1, 10, 1, 10)});
    return oort.Chosen(2);
  };
  EXPECT_EQ(chosen({}), Roster::Of({1})) << "the 30th percentile of 10 and 20 is 10: 12 / 4";
  EXPECT_EQ(chosen({{"penalty", 0}}), Roster::Of({0}));
  EXPECT_EQ(chosen({{"percentile", 100}}), Roster::Of({0})) << "no bound";
  EXPECT_EQ(chosen({{"pacer_step_s", 10}}), Roster::Of({1}));
  EXPECT_EQ(chosen({{"pacer_step_s", 20}}), Roster::Of({0}));
}

TEST(SelectOort, ThePacerLetsTheSlowIn) {
  Selecting oort = Oort({{"count", 1},
                         {"exploration", 0},
                         {"exploration_min", 0},
                         {"cutoff", 1},
                         {"pacer_rounds", 2},
                         {"pacer_step_s", 10},
                         {"blacklist", 0}},
                        "flat:2");
  const auto tell = [&](uint64_t round, double loss) {
    oort.Tell(round, Roster::Range(0, 2), {ReportOf(0, 12, loss, 20), ReportOf(1, 10, loss, 10)});
  };
  tell(1, 1);
  tell(2, 1);
  EXPECT_EQ(oort.Chosen(3), Roster::Of({1}));
  tell(3, .5);
  tell(4, .5);
  EXPECT_EQ(oort.Chosen(5), Roster::Of({0})) << "T is 20 s from here on";
}

TEST(SelectOort, OldKnowledgeIsWorthMore) {
  Selecting oort =
      Oort({{"count", 1}, {"exploration", 0}, {"exploration_min", 0}, {"cutoff", 1}}, "flat:2");
  oort.Tell(1, Roster::Of({0}), {ReportOf(0, 10, 1)});
  oort.Tell(50, Roster::Of({1}), {ReportOf(1, 10, 1.001)});
  // 10 + sqrt(.1 ln 51 / 1) against 10.01 + sqrt(.1 ln 51 / 50).
  EXPECT_EQ(oort.Chosen(51), Roster::Of({0}));
}

TEST(SelectOort, TakesNobodyTooOften) {
  Selecting oort =
      Oort({{"count", 2}, {"exploration", 0}, {"exploration_min", 0}, {"blacklist", 3}}, "flat:4");
  for (uint64_t round = 1; round <= 3; ++round) {
    oort.Tell(round, Roster::Of({0, 1}), {ReportOf(0, 100, 1), ReportOf(1, 100, 1)});
  }
  oort.Tell(4, Roster::Of({2, 3}), {ReportOf(2, 1, 1), ReportOf(3, 1, 1)});
  EXPECT_EQ(oort.Chosen(5), Roster::Of({2, 3})) << "0 and 1 have had their three turns";
  oort.available = Roster::Of({0, 1, 2});
  oort.Tell(5, Roster::Of({0}), {ReportOf(0, 100, 1)});
  EXPECT_EQ(oort.Chosen(6), Roster::Of({1, 2})) << "too few are left: who was taken least often";
}

TEST(SelectOort, DrawsTheUnknownBySpeed) {
  std::string yaml = "nodes:\n  - {id: hq, role: coordinator}\n";
  for (int i = 0; i < 4; ++i) {
    const char* speed = i == 0   ? ", attributes: {speed: 5}"
                        : i == 1 ? ", attributes: {speed: 2.0}"
                                 : "";
    yaml += "  - {id: w" + std::to_string(i) + ", role: worker, parent: hq" + speed + "}\n";
  }
  constexpr int kRounds = 3000;
  const Selecting oort("oort", {{"count", 1}, {"exploration_min", 1}},
                       ParseTopologyYaml(yaml, "tree").value());
  int chosen[4] = {};
  for (uint64_t round = 1; round <= kRounds; ++round) ++chosen[oort.Chosen(round).Leaves().at(0)];
  const double share[] = {5. / 9, 2. / 9, 1. / 9, 1. / 9};
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(chosen[i], kRounds * share[i],
                4.5 * std::sqrt(kRounds * share[i] * (1 - share[i])));
  }
}

// What it knows of the past is what it was told: another life that is told the same chooses the
// same, the pacer, the exploration and the blacklist included.
TEST(SelectOort, GoesByTheHistoryAlone) {
  const ValueMap params = {{"count", 5}, {"pacer_rounds", 4}, {"blacklist", 8}};
  Selecting a = Oort(params, "tree:4x8");
  std::vector<std::pair<Roster, std::vector<WorkerReport>>> told;
  Rng rng(5);
  for (uint64_t round = 1; round <= 60; ++round) {
    const Roster chosen = a.Chosen(round);
    EXPECT_EQ(chosen.Count(), 5u);
    std::vector<WorkerReport> reports;
    for (const LeafIndex leaf : chosen.Leaves()) {
      if (rng.Below(10) == 0) continue;  // lost on the way
      reports.push_back(ReportOf(leaf, 1 + rng.Below(50), rng.Uniform(), 1 + 10 * rng.Uniform()));
    }
    a.Tell(round, chosen, reports);
    told.emplace_back(chosen, reports);
  }
  Selecting b = Oort(params, "tree:4x8");
  for (uint64_t round = 1; round <= 60; ++round) {
    ASSERT_EQ(b.Chosen(round), told[round - 1].first) << round;
    b.Tell(round, told[round - 1].first, told[round - 1].second);
  }
}

TEST(SelectOort, SaysWhatCannotBe) {
  EXPECT_EQ(Oort({{"count", 4}}, "flat:4").Verdict(), "");
  EXPECT_THAT(Oort({{"count", 5}}, "flat:4").Verdict(),
              HasSubstr("takes 5 workers or more and the tree has 4"));
  EXPECT_THAT(Refusal(BuiltinStrategies().selectors, "oort", {{"count", 4}, {"cutoff", 2}}),
              HasSubstr("'cutoff' is 2, it must be from 0 to 1"));
  Selecting oort = Oort({{"count", 2}}, "flat:4");
  oort.available = Roster::Of({3});
  EXPECT_EQ(oort.Select().status().code(), absl::StatusCode::kFailedPrecondition);
  oort.available = Roster::Range(0, 4);
  oort.Tell(1, Roster::Of({0}), {{.leaf = 0, .num_samples = 5}});
  EXPECT_THAT(Message(oort.Select(2).status()), HasSubstr("no update came with a finite metric"));
}

}  // namespace
}  // namespace skein
