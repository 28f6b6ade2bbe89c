#include "skein/strategy/selector.h"

#include <cmath>

#include <gmock/gmock.h>

#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<Roster> Select(const std::string& name, const ValueMap& params,
                              const Roster& available, uint64_t round = 1, uint64_t seed = 42) {
  SelectionInput input;
  input.round = round;
  input.seed = seed;
  input.available = &available;
  input.num_workers = 1000;
  return Make(BuiltinStrategies().selectors, name, params)->Select(input);
}

size_t CountOf(const std::string& name, const ValueMap& params, LeafIndex available) {
  const auto selected = Select(name, params, Roster::Range(0, available));
  EXPECT_TRUE(selected.ok()) << selected.status();
  return selected.ok() ? selected->Count() : 0;
}

TEST(SelectAll, TakesWhoeverIsThere) {
  const Roster available = Roster::Of({1, 2, 5, 9});
  EXPECT_EQ(*Select("all", {}, available), available);
  EXPECT_EQ(Select("all", {}, Roster()).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(SelectCount, TakesThatManyOfTheAvailable) {
  const Roster available = Roster::Of({1, 2, 5, 9, 11, 30});
  const auto selected = Select("count", {{"count", 4}}, available);
  ASSERT_TRUE(selected.ok());
  EXPECT_EQ(selected->Count(), 4u);
  EXPECT_TRUE(selected->IsSubsetOf(available));
  EXPECT_EQ(*Select("count", {{"count", 6}}, available), available);
}

TEST(SelectCount, SaysWhenThereAreTooFew) {
  const auto selected = Select("count", {{"count", 4}}, Roster::Range(0, 3));
  EXPECT_EQ(selected.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(selected.status()), HasSubstr("4 workers are to be selected and 3 are"));
}

TEST(SelectFraction, RoundsDownButTakesTheMinimum) {
  EXPECT_EQ(CountOf("fraction", {{"fraction", 0.1}}, 100), 10u);
  EXPECT_EQ(CountOf("fraction", {{"fraction", 0.1}}, 99), 9u);
  EXPECT_EQ(CountOf("fraction", {{"fraction", 0.1}}, 3), 1u);
  EXPECT_EQ(CountOf("fraction", {{"fraction", 0.1}, {"min", 2}}, 3), 2u);
  EXPECT_EQ(CountOf("fraction", {{"fraction", 1}}, 77), 77u);
  // In binary 0.29 * 100 is a little less than 29.
  EXPECT_EQ(CountOf("fraction", {{"fraction", 0.29}}, 100), 29u);
  EXPECT_EQ(CountOf("fraction", {{"fraction", 0.57}}, 100), 57u);
}

TEST(SelectFraction, SaysWhenThereAreFewerThanTheMinimum) {
  for (const LeafIndex available : {0, 4}) {
    const auto selected =
        Select("fraction", {{"fraction", 0.5}, {"min", 5}}, Roster::Range(0, available));
    EXPECT_EQ(selected.status().code(), absl::StatusCode::kFailedPrecondition);
  }
}

TEST(Selectors, RefuseParametersOutOfRange) {
  const StrategyRegistries registries = BuiltinStrategies();
  for (const double fraction : {0.0, -0.1, 1.01}) {
    EXPECT_THAT(Refusal(registries.selectors, "fraction", {{"fraction", fraction}}),
                HasSubstr("selector 'fraction': 'fraction' is"));
  }
  EXPECT_THAT(Refusal(registries.selectors, "fraction"), HasSubstr("'fraction' is required"));
  EXPECT_THAT(Refusal(registries.selectors, "count", {{"count", 0}}), HasSubstr("from 1"));
}

TEST(Selectors, TheSameSeedAndRoundGiveTheSameWhateverMadeTheRoster) {
  std::vector<LeafIndex> leaves;
  Roster inserted;
  for (LeafIndex i = 100; i > 0; --i) {
    leaves.push_back(i - 1);
    inserted.Insert(i - 1);
  }
  Roster merged = Roster::Range(50, 100);
  merged.Merge(Roster::Range(0, 50));
  const Roster expected = *Select("count", {{"count", 10}}, Roster::Range(0, 100));
  for (const Roster& same : {Roster::Of(leaves), inserted, merged}) {
    EXPECT_EQ(*Select("count", {{"count", 10}}, same), expected);
  }
}

TEST(Selectors, RoundsAndSeedsDrawAnew) {
  const Roster all = Roster::Range(0, 100);
  const ValueMap ten = {{"count", 10}};
  const Roster first = *Select("count", ten, all, 1, 42);
  EXPECT_EQ(*Select("count", ten, all, 1, 42), first);
  EXPECT_NE(*Select("count", ten, all, 2, 42), first);
  EXPECT_NE(*Select("count", ten, all, 1, 43), first);
}

TEST(Selectors, AStateOfEarlierRoundsDoesNotMatter) {
  const auto selector = Make(BuiltinStrategies().selectors, "count", {{"count", 10}});
  const Roster all = Roster::Range(0, 100);
  SelectionInput input;
  input.available = &all;
  input.seed = 42;
  for (input.round = 1; input.round < 20; ++input.round) ASSERT_TRUE(selector->Select(input).ok());
  input.round = 1;
  EXPECT_EQ(*selector->Select(input), *Select("count", {{"count", 10}}, all));
}

TEST(Selectors, EveryWorkerIsAsLikelyAndSoIsEveryPair) {
  constexpr int kRounds = 4000, kAll = 20, kChosen = 5;
  std::vector<int> chosen(kAll);
  int first_two = 0;
  const Roster all = Roster::Range(0, kAll);
  for (uint64_t round = 0; round < kRounds; ++round) {
    const Roster roster = *Select("count", {{"count", kChosen}}, all, round);
    for (const LeafIndex leaf : roster.Leaves()) ++chosen[leaf];
    first_two += roster.Contains(0) && roster.Contains(1);
  }
  const double p = 1.0 * kChosen / kAll;
  const double mean = kRounds * p, deviation = std::sqrt(kRounds * p * (1 - p));
  double chi_square = 0;
  for (const int count : chosen) {
    EXPECT_NEAR(count, mean, 4.5 * deviation);
    chi_square += (count - mean) * (count - mean) / (mean * (1 - p));
  }
  // 19 degrees of freedom: beyond 50 with a probability of 1e-4 (the seed is fixed).
  EXPECT_LT(chi_square * (kAll - 1) / kAll, 50);
  const double pair = p * (kChosen - 1) / (kAll - 1);
  EXPECT_NEAR(first_two, kRounds * pair, 4.5 * std::sqrt(kRounds * pair * (1 - pair)));
}

}  // namespace
}  // namespace skein
