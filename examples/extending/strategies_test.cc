#include <algorithm>

#include <skein/builtins/strategies.h>
#include <skein/testing/fold_conformance.h>

#include "capped_fedavg.h"
#include "every_nth.h"

namespace {

skein::StrategyRegistries Strategies() {
  skein::StrategyRegistries strategies;
  skein::RegisterBuiltinStrategies(strategies);
  EXPECT_TRUE(RegisterEveryNth(strategies).ok());
  EXPECT_TRUE(RegisterCappedFedAvg(strategies).ok());
  return strategies;
}

// ---- the fold: what every fold must do, what those that compose must, what weighted means must
// ----

const skein::testing::FoldCase kCapped = {
    "Capped",
    [] {
      return *Strategies().folds.Create({"capped-fedavg", {{"cap", 100}}});
    },
    [](const skein::UpdateHeader& header) {
      return static_cast<double>(std::min<uint64_t>(header.num_samples, 100));
    }};
}  // namespace

namespace skein::testing {
INSTANTIATE_TEST_SUITE_P(Mine, FoldConformance, ::testing::Values(kCapped));
INSTANTIATE_TEST_SUITE_P(Mine, ComposingFoldConformance, ::testing::Values(kCapped));
INSTANTIATE_TEST_SUITE_P(Mine, MeanFoldConformance, ::testing::Values(kCapped));
}  // namespace skein::testing

namespace {

// ---- the selector ----

std::vector<skein::LeafIndex> Asked(uint64_t round, const skein::Roster& available) {
  auto selector = *Strategies().selectors.Create({"every-nth", {{"n", 2}}});
  const auto chosen = selector->Select({.round = round, .available = &available});
  EXPECT_TRUE(chosen.ok()) << chosen.status();
  return chosen.ok() ? chosen->Leaves() : std::vector<skein::LeafIndex>();
}

TEST(EveryNth, AsksOneHalfAfterTheOther) {
  using Leaves = std::vector<skein::LeafIndex>;
  const skein::Roster five = skein::Roster::Range(0, 5);
  EXPECT_EQ(Asked(1, five), (Leaves{1, 3}));
  EXPECT_EQ(Asked(2, five), (Leaves{0, 2, 4}));
  EXPECT_EQ(Asked(3, five), (Leaves{1, 3}));
}

TEST(EveryNth, PassesOverThoseWhoAreNotThere) {
  EXPECT_EQ(Asked(1, skein::Roster::Of({1, 4, 5, 9})), (std::vector<skein::LeafIndex>{4, 9}));
}

TEST(EveryNth, FailsWhenTooFewAreThere) {
  auto selector = *Strategies().selectors.Create({"every-nth", {{"n", 2}}});
  const skein::Roster one = skein::Roster::Of({3});
  EXPECT_EQ(selector->Select({.round = 1, .available = &one}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(EveryNth, RefusesAnNOfZero) {
  EXPECT_FALSE(Strategies().selectors.Create({"every-nth", {{"n", 0}}}).ok());
}

}  // namespace
