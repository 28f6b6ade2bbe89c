#include "skein/strategy/strategy_spec.h"

#include <map>

#include <gmock/gmock.h>

#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

double LimitOf(const TierParts& parts) {
  PolicyView view;
  view.expected = 2;
  return ToSeconds(parts.policy->Decide(view).ask_again);
}

TierParts PartsAt(const StrategySpec& spec, int tier, int num_tiers) {
  auto parts = MakeTierParts(spec, tier, num_tiers, BuiltinStrategies());
  EXPECT_TRUE(parts.ok()) << parts.status();
  return parts.ok() ? *parts : TierParts{};
}

TEST(MakeTierParts, TheInheritedPolicyIsRelaxedUpwards) {
  StrategySpec spec;
  spec.policy = {"all", {{"timeout_s", 100}}};
  EXPECT_EQ(LimitOf(PartsAt(spec, 0, 2)), 100);
  EXPECT_EQ(LimitOf(PartsAt(spec, 2, 4)), 100);
  EXPECT_EQ(LimitOf(PartsAt(spec, 1, 4)), 110);
  EXPECT_EQ(LimitOf(PartsAt(spec, 0, 4)), 121);
}

TEST(MakeTierParts, LocalRoundsBelowCountInTheLimit) {
  StrategySpec spec;
  spec.policy = {"quorum", {{"fraction", 0.5}, {"deadline_s", 10}}};
  spec.tiers = {{.tier = 2, .kappa = 3}, {.tier = 1, .kappa = 2}};
  EXPECT_EQ(LimitOf(PartsAt(spec, 2, 4)), 10);
  EXPECT_EQ(LimitOf(PartsAt(spec, 1, 4)), 33);
  EXPECT_NEAR(LimitOf(PartsAt(spec, 0, 4)), 72.6, 1e-9);
}

TEST(MakeTierParts, ATiersOwnPolicyAppliesAsItIs) {
  StrategySpec spec;
  spec.policy = {"all", {{"timeout_s", 100}}};
  spec.tiers = {{.tier = 0, .policy = PartSpec{"quorum", {{"count", 1}, {"deadline_s", 7}}}}};
  EXPECT_EQ(LimitOf(PartsAt(spec, 0, 4)), 7);
  EXPECT_EQ(LimitOf(PartsAt(spec, 1, 4)), 110) << "others inherit";
}

TEST(MakeTierParts, TakesFoldFiltersAndKappa) {
  StrategySpec spec;
  spec.fold = {"mean", {}};
  spec.filters = {{"max-norm", {{"limit", 1}}}};
  spec.tiers = {{.tier = 1, .kappa = 5}};
  EXPECT_EQ(PartsAt(spec, 0, 3).kappa, 1);
  const TierParts parts = PartsAt(spec, 1, 3);
  EXPECT_EQ(parts.kappa, 5);
  EXPECT_EQ(parts.filters.size(), 1u);
  EXPECT_EQ(parts.fold->MaxUpdateWeight(600), 1u) << "it is the mean";
}

// Two children for every node that has any.
Topology TreeOf(int num_tiers) {
  std::string shape = num_tiers == 2 ? "flat:2" : "tree:2";
  for (int tier = 2; tier < num_tiers; ++tier) shape += "x2";
  return Topology::FromShape(shape).value();
}

TEST(ValidateStrategy, AcceptsTheDefaultsForEveryTree) {
  for (int tiers = 2; tiers <= 6; ++tiers) {
    EXPECT_TRUE(ValidateStrategy({}, TreeOf(tiers), BuiltinStrategies()).ok()) << tiers;
  }
}

TEST(ValidateStrategy, AcceptsWhatTheTiersMayChange) {
  StrategySpec spec;
  spec.tiers = {{.tier = 1, .policy = PartSpec{"quorum", {{"fraction", 0.5}}}, .kappa = 10000},
                {.tier = 0, .policy = PartSpec{"all", {}}, .fold = PartSpec{"fedavg", {}}}};
  EXPECT_TRUE(ValidateStrategy(spec, TreeOf(3), BuiltinStrategies()).ok());
}

struct Bad {
  std::string name;
  StrategySpec spec;
  std::string message;
  int num_tiers = 3;
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

class ValidateStrategyRefuses : public ::testing::TestWithParam<Bad> {};

TEST_P(ValidateStrategyRefuses, NamingPlaceAndRemedy) {
  const Bad& bad = GetParam();
  const absl::Status status =
      ValidateStrategy(bad.spec, TreeOf(bad.num_tiers), BuiltinStrategies());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(status), bad.message);
}

INSTANTIATE_TEST_SUITE_P(
    Specs, ValidateStrategyRefuses,
    ::testing::Values(
        Bad{"UnknownFold",
            {.fold = {"fedavgg", {}}},
            "strategy: unknown fold 'fedavgg', did you mean 'fedavg'?"},
        Bad{"UnknownOptimizer",
            {.optimizer = {"fedadm", {}}},
            "strategy: unknown optimizer 'fedadm', did you mean 'fedadam'?"},
        Bad{"LocalRoundsUnderAFoldOfSingleWorkers",
            {.fold = {"fednova", {}}, .tiers = {{.tier = 1, .kappa = 2}}},
            "strategy, tier 1: fold 'fednova' goes by what single workers say in one round, and "
            "kappa is 2; use kappa 1, or another fold"},
        Bad{"AFoldOfSingleWorkersAboveAnother",
            {.fold = {"signsgd", {}}, .tiers = {{.tier = 1, .fold = PartSpec{"mean", {}}}}},
            "strategy, tier 0: fold 'signsgd' goes by what single workers say, and tier 1's "
            "'mean' makes one contribution of all of them; use one fold at both, or 'fedavg' or "
            "'mean' above"},
        Bad{"UnknownSelector",
            {.selector = {"al", {}}},
            "strategy: unknown selector 'al', did you mean 'all'?"},
        Bad{"BadPolicyParameter",
            {.policy = {"all", {{"timeout_s", "soon"}}}},
            "strategy: policy 'all': 'timeout_s' must be a number, not \"soon\""},
        Bad{"UnknownFilter",
            {.filters = {{"maxnorm", {}}}},
            "strategy: unknown filter 'maxnorm', did you mean 'max-norm'?"},
        Bad{"TierOfWorkers",
            {.tiers = {{.tier = 2}}},
            "strategy, tier 2: the tree's aggregating tiers are 0 to 1"},
        Bad{"NegativeTier",
            {.tiers = {{.tier = -1}}},
            "strategy, tier -1: the tree's aggregating tiers are 0 to 1"},
        Bad{"TierTwice",
            {.tiers = {{.tier = 1}, {.tier = 1}}},
            "strategy, tier 1: it is listed twice"},
        Bad{"KappaOfZero",
            {.tiers = {{.tier = 1, .kappa = 0}}},
            "strategy, tier 1: kappa is 0, it must be from 1 to 10000"},
        Bad{"KappaAtTheRoot",
            {.tiers = {{.tier = 0, .kappa = 2}}},
            "strategy, tier 0: kappa counts local rounds below the root; use 'rounds' for the "
            "root's"},
        Bad{"KappasThatMultiply",
            {.tiers = {{.tier = 1, .kappa = 10000}, {.tier = 2, .kappa = 101}}},
            "strategy: the tiers' kappas multiply to 1010000 tasks a round or more, at most "
            "1000000",
            4},
        Bad{"BadPolicyOfATier",
            {.tiers = {{.tier = 1, .policy = PartSpec{"quorum", {}}}}},
            "strategy, tier 1: policy 'quorum': give either 'fraction' or 'count'"},
        Bad{"FoldThatDoesNotCompose",
            {.fold = {"median", {}}},
            "strategy, tier 0: fold 'median' needs every update at once, and tier 1 passes none "
            "on; under 'tiers', set passes: true there, or give one of the two another fold, such "
            "as 'mean', or this one a 'median' of its own to combine the results of tier 1's"},
        Bad{"CollectAtTheRoot",
            {.fold = {"median", {}}, .tiers = {{.tier = 0, .collect = true}}},
            "strategy, tier 0: collect passes contributions on to the tier above, and there is "
            "none"},
        Bad{"CollectForASum",
            {.tiers = {{.tier = 1, .collect = true}}},
            "strategy, tier 1: collect: the fold above, 'fedavg', has no need of single updates, "
            "partials of it merge; leave it out"},
        Bad{"CollectWithAFold",
            {.fold = {"median", {}},
             .tiers = {{.tier = 1, .fold = PartSpec{"mean", {}}, .collect = true}}},
            "strategy, tier 1: collect passes contributions on for the fold of the tier above; "
            "leave out 'fold' here, or 'collect'"},
        Bad{"CollectWithLocalRounds",
            {.fold = {"median", {}}, .tiers = {{.tier = 1, .kappa = 2, .collect = true}}},
            "strategy, tier 1: collect makes no model of its own for the local rounds of kappa; "
            "leave out one of the two"},
        Bad{"CollectOfTooFew",
            {.fold = {"krum", {{"f", 1}}}, .tiers = {{.tier = 1, .collect = true}}},
            "strategy, tier 0: fold 'krum' needs 5 children and 'root' has 4; give the node more, "
            "or the tier another fold under 'tiers'"},
        Bad{"FoldOfMoreThanThereAre",
            {.tiers = {{.tier = 1, .fold = PartSpec{"krum", {{"f", 0}}}}}},
            "strategy, tier 1: fold 'krum' needs 3 children and 'a0' has 2; give the node more, or "
            "the tier another fold"},
        Bad{"InheritedFoldOfMoreThanThereAre",
            {.fold = {"krum", {{"f", 0}}}, .tiers = {{.tier = 1, .fold = PartSpec{"mean", {}}}}},
            "strategy, tier 0: fold 'krum' needs 3 children and 'root' has 2; give the node more, "
            "or the tier another fold under 'tiers'"},
        Bad{"FoldOfMoreThanAreSelected",
            {.fold = {"mean", {}},
             .selector = {"count", {{"count", 2}}},
             .tiers = {{.tier = 0, .fold = PartSpec{"krum", {{"f", 0}}}}}},
            "strategy, tier 0: fold 'krum' needs 3 contributions and selector 'count' takes 2 "
            "workers at most: no round could be made"},
        Bad{"UnknownFoldOfATier",
            {.tiers = {{.tier = 1, .fold = PartSpec{"krumm", {}}}}},
            "strategy, tier 1: unknown fold 'krumm', did you mean 'krum'?"},
        Bad{"SelectorOfMoreThanAll",
            {.selector = {"count", {{"count", 5}}}},
            "strategy: selector 'count' takes 5 workers or more and the tree has 4"},
        Bad{"QuorumThatTheWorkersWereMeantFor",
            {.policy = {"quorum", {{"count", 3}}}},
            "strategy, tier 0: policy 'quorum' needs 3 children and 'root' has 2; give the tier a "
            "policy of its own under 'tiers'"},
        Bad{"QuorumOfMoreThanAll",
            {.tiers = {{.tier = 1, .policy = PartSpec{"quorum", {{"count", 3}}}}}},
            "strategy, tier 1: policy 'quorum' needs 3 children and 'a0' has 2"}),
    [](const auto& tested) { return tested.param.name; });

TEST(ValidateStrategy, AFoldThatDoesNotComposeMayStandRightAboveTheWorkers) {
  StrategySpec spec;
  spec.fold = {"median", {}};
  EXPECT_TRUE(ValidateStrategy(spec, TreeOf(2), BuiltinStrategies()).ok());
}

std::string StrategyRefusal(const StrategySpec& spec, const std::string& shape) {
  const absl::Status status =
      ValidateStrategy(spec, *Topology::FromShape(shape), BuiltinStrategies());
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  return Message(status);
}

StrategySpec WithFolds(const PartSpec& fold, const std::map<int, PartSpec>& of_tiers) {
  StrategySpec spec;
  spec.fold = fold;
  for (const auto& [tier, own] : of_tiers) spec.tiers.push_back({.tier = tier, .fold = own});
  return spec;
}

TEST(ValidateStrategy, FoldsMayDifferFromTierToTier) {
  const PartSpec median{"median", {}}, krum{"krum", {{"f", 1}}}, mean{"mean", {}};
  const PartSpec fedavg{"fedavg", {}};
  for (const StrategySpec& spec : {
           WithFolds(fedavg, {{1, mean}}), WithFolds(krum, {{1, fedavg}}),
           WithFolds(fedavg, {{0, krum}}), WithFolds(fedavg, {{1, median}}),
           WithFolds(median, {{0, krum}}), WithFolds(median, {{0, median}}),  // asked for
       }) {
    const absl::Status status =
        ValidateStrategy(spec, *Topology::FromShape("tree:5x2"), BuiltinStrategies());
    EXPECT_TRUE(status.ok()) << status;
  }
}

TEST(ValidateStrategy, FoldsMayAskInPassesThroughTiers) {
  StrategySpec spec;
  spec.fold = {"trimmed-mean", {{"trim", 2}}};
  spec.tiers = {{.tier = 1, .passes = true}};
  absl::Status status =
      ValidateStrategy(spec, *Topology::FromShape("tree:2x3"), BuiltinStrategies());
  EXPECT_TRUE(status.ok()) << status << ": of six";
  EXPECT_EQ(FoldPlacement(spec, 3, BuiltinStrategies()), "passes");
  EXPECT_TRUE(PartsAt(spec, 1, 3).answers_passes);
  EXPECT_FALSE(PartsAt(spec, 1, 3).leads_passes);
  EXPECT_EQ(PartsAt(spec, 1, 3).above, nullptr);
  EXPECT_TRUE(PartsAt(spec, 0, 3).leads_passes);
  EXPECT_EQ(PartsAt(spec, 1, 3).fold->MinContributions(), 5) << "its parent's";
  spec.fold = {"trimmed-mean", {{"trim", 3}}};
  EXPECT_THAT(StrategyRefusal(spec, "tree:2x3"), HasSubstr("needs 7"));
  // Below another fold.
  spec.fold = {"fedavg", {}};
  spec.tiers = {{.tier = 1, .fold = PartSpec{"median", {}}}, {.tier = 2, .passes = true}};
  status = ValidateStrategy(spec, *Topology::FromShape("tree:2x2x3"), BuiltinStrategies());
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(FoldPlacement(spec, 4, BuiltinStrategies()), "tiers 1");
  EXPECT_NE(PartsAt(spec, 1, 4).above, nullptr);
  EXPECT_TRUE(PartsAt(spec, 1, 4).leads_passes);
}

TEST(ValidateStrategy, SaysWhyThereAreNoPasses) {
  const auto refusal = [](const PartSpec& fold, const std::vector<TierSpec>& tiers) {
    StrategySpec spec;
    spec.fold = fold;
    spec.tiers = tiers;
    return StrategyRefusal(spec, "tree:2x2x3");
  };
  const TierSpec one{.tier = 1, .passes = true}, two{.tier = 2, .passes = true};
  EXPECT_THAT(refusal({"median", {}}, {{.tier = 0, .passes = true}}),
              HasSubstr("strategy, tier 0: passes answers what the tier above asks, and there is "
                        "none; say it of the tiers below"));
  EXPECT_THAT(refusal({"median", {}}, {one}),
              HasSubstr("tier 2 passes none on; under 'tiers', set passes: true there"));
  EXPECT_THAT(refusal({"median", {}}, {one, {.tier = 2, .fold = PartSpec{"mean", {}}}}),
              HasSubstr("strategy, tier 1: passes need to reach those that hold the updates; set "
                        "it for tier 2, too"));
  EXPECT_THAT(refusal({"krum", {{"f", 1}}}, {one, two}),
              HasSubstr("strategy, tier 1: passes: the fold above, 'krum', goes by pairs of "
                        "contributions, which no sums tell; use collect instead"));
  EXPECT_THAT(
      refusal({"fedavg", {}}, {one, two}),
      HasSubstr("the fold above, 'fedavg', is one sum, partials of it merge; leave it out"));
  EXPECT_THAT(
      refusal({"median", {}}, {one, {.tier = 2, .fold = PartSpec{"mean", {}}, .passes = true}}),
      HasSubstr("strategy, tier 2: passes answer what the fold of the tier above asks"));
  EXPECT_THAT(refusal({"median", {}}, {one, {.tier = 2, .kappa = 2, .passes = true}}),
              HasSubstr("strategy, tier 2: passes make no model here for the local rounds"));
  EXPECT_THAT(refusal({"median", {}}, {one, {.tier = 2, .collect = true, .passes = true}}),
              HasSubstr("leave out one of the two"));
  EXPECT_THAT(refusal({"median", {}},
                      {one, {.tier = 2, .policy = PartSpec{"every_update", {}}, .passes = true}}),
              HasSubstr("has no rounds"));
}

TEST(ValidateStrategy, UpdatesMayBeCollectedThroughTiers) {
  StrategySpec spec;
  spec.fold = {"krum", {{"f", 1}}};
  spec.tiers = {{.tier = 1, .collect = true}};
  absl::Status status =
      ValidateStrategy(spec, *Topology::FromShape("tree:2x3"), BuiltinStrategies());
  EXPECT_TRUE(status.ok()) << status << ": six come";
  EXPECT_EQ(FoldPlacement(spec, 3, BuiltinStrategies()), "collect");
  EXPECT_TRUE(PartsAt(spec, 1, 3).collects);
  EXPECT_EQ(PartsAt(spec, 1, 3).above, nullptr);
  EXPECT_FALSE(PartsAt(spec, 0, 3).collects);
  // Of medians of sites, by regions.
  spec.tiers.push_back({.tier = 2, .fold = PartSpec{"median", {}}});
  status = ValidateStrategy(spec, *Topology::FromShape("tree:2x3x2"), BuiltinStrategies());
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(FoldPlacement(spec, 4, BuiltinStrategies()), "tiers 0, 2");
  EXPECT_NE(PartsAt(spec, 2, 4).above, nullptr);
  spec.tiers.back() = {.tier = 2, .policy = PartSpec{"every_update", {}}, .collect = true};
  EXPECT_THAT(StrategyRefusal(spec, "tree:2x3x2"), HasSubstr("tier 2 has no rounds"));
}

TEST(ValidateStrategy, MediansOfMediansMustBeAskedForAtTheUpperTier) {
  const PartSpec median{"median", {}};
  EXPECT_THAT(StrategyRefusal(WithFolds(median, {{1, {"median", {{"memory_mb", 0}}}}}), "tree:2x2"),
              HasSubstr("strategy, tier 0: fold 'median'"));
  EXPECT_THAT(StrategyRefusal(WithFolds(median, {{0, median}}), "tree:2x2x2"),
              HasSubstr("strategy, tier 1: fold 'median'"));
  EXPECT_THAT(StrategyRefusal(WithFolds(median, {{2, {"mean", {}}}}), "tree:2x2x2"),
              HasSubstr("strategy, tier 0: fold 'median' needs every update at once, and tier 1"));
}

TEST(ValidateStrategy, WhatReportsAsOneNeedsRounds) {
  StrategySpec spec = WithFolds({"krum", {{"f", 1}}}, {{1, {"fedavg", {}}}});
  spec.tiers[0].policy = PartSpec{"every_update", {}};
  EXPECT_EQ(StrategyRefusal(spec, "tree:5x2"),
            "strategy, tier 1: fold 'fedavg' makes one contribution a round to tier 0's 'krum', "
            "and tier 1 has no rounds; give it a policy with a barrier, such as 'all'");
  // The other way round it is fine: the root takes what comes.
  spec = WithFolds({"fedavg", {}}, {{1, {"median", {}}}});
  spec.policy = {"every_update", {}};
  spec.tiers[0].policy = PartSpec{"all", {}};
  EXPECT_TRUE(ValidateStrategy(spec, *Topology::FromShape("tree:5x2"), BuiltinStrategies()).ok());
}

TEST(MakeTierParts, KnowsWhatReportsAsOne) {
  const PartSpec mean{"mean", {}}, same{"mean", {{"bound", 1}}}, other{"mean", {{"bound", 2}}};
  const auto above = [](const StrategySpec& spec, int tier) {
    return PartsAt(spec, tier, 4).above;
  };
  EXPECT_EQ(above(WithFolds(mean, {}), 1), nullptr);
  EXPECT_EQ(above(WithFolds(mean, {{1, same}}), 1), nullptr) << "1 is the default";
  EXPECT_NE(above(WithFolds(mean, {{1, other}}), 1), nullptr);
  const StrategySpec spec = WithFolds({"fedavg", {}}, {{1, {"median", {}}}});
  EXPECT_EQ(above(spec, 0), nullptr) << "nothing is above the root";
  ASSERT_NE(above(spec, 1), nullptr);
  EXPECT_EQ(above(spec, 1)->SubtreeWeight(600), 600u) << "it is FedAvg";
  ASSERT_NE(above(spec, 2), nullptr);
  EXPECT_EQ(above(spec, 2)->SubtreeWeight(600), 1u) << "it is the median";
}

TEST(FoldPlacement, SaysWhereWhatDoesNotComposeStands) {
  const PartSpec median{"median", {}}, mean{"mean", {}};
  const auto placement = [](const StrategySpec& spec, int num_tiers) {
    return FoldPlacement(spec, num_tiers, BuiltinStrategies());
  };
  EXPECT_EQ(placement(WithFolds(mean, {}), 3), "");
  EXPECT_EQ(placement(WithFolds(median, {}), 2), "flat");
  EXPECT_EQ(placement(WithFolds(mean, {{1, median}}), 3), "leaf");
  EXPECT_EQ(placement(WithFolds(median, {{1, mean}}), 3), "root");
  EXPECT_EQ(placement(WithFolds(median, {{0, median}}), 3), "two-tier");
  EXPECT_EQ(placement(WithFolds(mean, {{0, median}, {2, median}}), 4), "two-tier");
  EXPECT_EQ(placement(WithFolds(mean, {{1, median}, {2, median}}), 4), "tiers 1, 2");
}

TEST(ValidateStrategy, ABufferLargerThanTheNodeHasChildrenIsRefused) {
  StrategySpec spec;
  spec.policy = {"buffered", {{"size", 9}}};
  EXPECT_THAT(StrategyRefusal(spec, "flat:8"),
              HasSubstr("policy 'buffered' needs 9 children and 'root' has 8"));
  spec.policy = {"buffered", {{"size", 8}}};
  EXPECT_TRUE(ValidateStrategy(spec, *Topology::FromShape("flat:8"), BuiltinStrategies()).ok());
}

TEST(ValidateStrategy, LocalRoundsNeedBarriersBelow) {
  StrategySpec spec;
  spec.tiers = {{.tier = 1, .kappa = 2}, {.tier = 2, .policy = PartSpec{"every_update", {}}}};
  EXPECT_THAT(StrategyRefusal(spec, "tree:2x2x2"),
              HasSubstr("tier 1: kappa counts local rounds, and tier 2 has none"));
  // Local rounds below a root without a barrier are fine.
  spec.tiers = {{.tier = 0, .policy = PartSpec{"every_update", {}}}, {.tier = 1, .kappa = 2}};
  EXPECT_TRUE(ValidateStrategy(spec, *Topology::FromShape("tree:2x2"), BuiltinStrategies()).ok());
}

TEST(ValidateStrategy, ModelsAreMixedOnlyWithoutABarrier) {
  StrategySpec spec;
  spec.mixing = {"models", {}};
  EXPECT_THAT(StrategyRefusal(spec, "flat:4"), HasSubstr("mixing 'models' needs a policy without"));
  spec.policy = {"every_update", {}};
  EXPECT_TRUE(ValidateStrategy(spec, *Topology::FromShape("flat:4"), BuiltinStrategies()).ok());
  spec.fold = {"signsgd", {}};
  EXPECT_EQ(StrategyRefusal(spec, "flat:4"),
            "strategy, tier 0: fold 'signsgd' goes by changes alone, which mixing 'models' makes "
            "models of; use mixing 'deltas', or another fold");
}

TEST(ValidateStrategy, RoundsOfSomeNeedRoundsBelow) {
  StrategySpec spec;
  spec.selector = {"fraction", {{"fraction", 0.5}}};
  spec.tiers = {{.tier = 1, .policy = PartSpec{"every_update", {}}}};
  EXPECT_EQ(
      StrategyRefusal(spec, "tree:2x4"),
      "strategy, tier 1: policy 'every_update' has no rounds, and selector 'fraction' chooses "
      "anew in each; use selector 'all', or policies with a barrier at every tier");
  // Without rounds at the root either it chooses once.
  spec.policy = {"every_update", {}};
  EXPECT_TRUE(ValidateStrategy(spec, *Topology::FromShape("tree:2x4"), BuiltinStrategies()).ok());
  spec.policy = {"all", {}};
  spec.tiers.clear();
  EXPECT_TRUE(ValidateStrategy(spec, *Topology::FromShape("tree:2x4"), BuiltinStrategies()).ok());
}

TEST(ValidateStrategy, AFoldThatDoesNotComposeNeedsABarrier) {
  StrategySpec spec;
  spec.fold = {"median", {}};
  spec.policy = {"buffered", {{"size", 2}}};
  EXPECT_THAT(StrategyRefusal(spec, "flat:4"),
              HasSubstr("tier 0: fold 'median' needs every update of a round at once, and policy "
                        "'buffered' has no rounds"));
}

TEST(ValidateStrategy, WhatMakesVersionsStandsAtTheRootOnly) {
  StrategySpec spec;
  spec.policy = {"fedcompass", {}};
  EXPECT_TRUE(ValidateStrategy(spec, *Topology::FromShape("flat:4"), BuiltinStrategies()).ok());
  EXPECT_EQ(StrategyRefusal(spec, "tree:2x4"),
            "strategy, tier 1: policy 'fedcompass' can only stand at the root, tier 0: it times "
            "children by the versions of the model that it makes; give the tier a policy of its "
            "own under 'tiers'");
  spec.tiers = {{.tier = 1, .policy = PartSpec{"all", {}}}};
  EXPECT_TRUE(ValidateStrategy(spec, *Topology::FromShape("tree:2x4"), BuiltinStrategies()).ok());

  spec.policy = {"all", {}};
  spec.tiers = {{.tier = 1, .policy = PartSpec{"tiered", {{"groups", 2}}}}};
  EXPECT_THAT(StrategyRefusal(spec, "tree:2x4"),
              HasSubstr("policy 'tiered' can only stand at the root, tier 0: a group's weight"));
  spec.tiers = {{.tier = 1, .policy = PartSpec{"tiered", {{"groups", 2}, {"weights", "none"}}}}};
  EXPECT_TRUE(ValidateStrategy(spec, *Topology::FromShape("tree:2x4"), BuiltinStrategies()).ok());
}

TEST(ValidateStrategy, MoreGroupsThanChildrenAreRefused) {
  StrategySpec spec;
  spec.policy = {"tiered", {{"groups", 5}}};
  EXPECT_THAT(StrategyRefusal(spec, "flat:4"),
              HasSubstr("strategy, tier 0: policy 'tiered' needs 5 children and 'root' has 4"));
}

TEST(ValidateStrategy, APolicyThatCouldNeverCloseIsRefused) {
  StrategySpec spec;
  spec.policy = {"quorum", {{"count", 6}}};
  spec.selector = {"count", {{"count", 5}}};
  EXPECT_EQ(StrategyRefusal(spec, "flat:8"),
            "strategy, tier 0: policy 'quorum' needs 6 children and selector 'count' takes 5 "
            "workers at most: it could never close");
  spec.selector = {"fraction", {{"fraction", 0.5}}};
  EXPECT_THAT(StrategyRefusal(spec, "flat:8"), HasSubstr("'fraction' takes 4 workers at most"));
  spec.selector = {"count", {{"count", 6}}};
  EXPECT_TRUE(ValidateStrategy(spec, *Topology::FromShape("flat:8"), BuiltinStrategies()).ok());
}

TEST(CheckDeadlines, APolicyMustOutliveAHeartbeat) {
  const auto check = [](const StrategySpec& spec) {
    return Message(CheckDeadlines(spec, 3, std::chrono::seconds(2), BuiltinStrategies()));
  };
  StrategySpec spec;
  EXPECT_EQ(check(spec), "");
  spec.tiers = {{.tier = 1, .policy = PartSpec{"quorum", {{"count", 1}, {"deadline_s", 1.5}}}}};
  EXPECT_EQ(check(spec),
            "strategy, tier 1: policy 'quorum' waits for 1.5 s, less than the time between two "
            "signs of life of a node, 2 s; give it more, or set limits.heartbeat_interval_s "
            "lower");
  spec.tiers = {{.tier = 1, .policy = PartSpec{"over_select", {{"deadline_s", 1}}}}};
  EXPECT_THAT(check(spec), HasSubstr("policy 'over_select' waits for 1"));
  spec.tiers = {{.tier = 0, .policy = PartSpec{"all", {{"timeout_s", 0.1}}}}};
  EXPECT_THAT(check(spec), HasSubstr("strategy, tier 0: policy 'all' waits for 0.1 s"));
  spec.tiers = {{.tier = 0, .policy = PartSpec{"interval", {{"period_s", 0.1}}}}};
  EXPECT_EQ(check(spec), "") << "it waits for nobody";
}

TEST(CheckWorkersCanEvaluate, NamesTheTierWithoutABarrier) {
  EXPECT_TRUE(CheckWorkersCanEvaluate({true, true}).ok());
  const absl::Status refused = CheckWorkersCanEvaluate({true, false});
  EXPECT_TRUE(absl::IsInvalidArgument(refused));
  EXPECT_THAT(Message(refused), HasSubstr("tier 1 has none; use 'coordinator' or 'none'"));
}

TEST(BarriersOf, SaysWhichTiersWait) {
  StrategySpec spec;
  spec.tiers = {{.tier = 1, .policy = PartSpec{"every_update", {}}}};
  EXPECT_EQ(BarriersOf(spec, 4, BuiltinStrategies()), (std::vector<bool>{true, false, true}));
}

TEST(ValidateStrategy, CollectingAboveNodesThatAnswerPassesIsRefused) {
  StrategySpec spec;
  spec.fold = {"median", {}};
  spec.tiers = {{.tier = 2, .passes = true}, {.tier = 1, .collect = true}};
  EXPECT_EQ(StrategyRefusal(spec, "tree:2x2x2"),
            "strategy, tier 1: collect passes contributions on, and tier 2 holds them to answer "
            "passes; set the same for both");
}

}  // namespace
}  // namespace skein
