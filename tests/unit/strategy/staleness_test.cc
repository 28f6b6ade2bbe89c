#include <gmock/gmock.h>

#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

double WeightOf(const std::string& name, uint64_t staleness, const ValueMap& params = {}) {
  return Make(BuiltinStrategies().staleness, name, params)->Weight(staleness);
}

TEST(Staleness, FollowsItsFormula) {
  constexpr double kDigits = 5e-11;
  for (const uint64_t u : {0u, 1u, 1000u}) EXPECT_EQ(WeightOf("constant", u), 1);
  EXPECT_NEAR(WeightOf("polynomial", 1), 0.7071067812, kDigits);
  EXPECT_NEAR(WeightOf("polynomial", 3), 0.5, kDigits);
  EXPECT_NEAR(WeightOf("polynomial", 8), 0.3333333333, kDigits);
  EXPECT_NEAR(WeightOf("polynomial", 15), 0.25, kDigits);
  EXPECT_NEAR(WeightOf("polynomial", 3, {{"a", 2}}), 0.0625, kDigits);
  EXPECT_EQ(WeightOf("hinge", 4), 1);
  EXPECT_NEAR(WeightOf("hinge", 5), 0.0909090909, kDigits);
  EXPECT_NEAR(WeightOf("hinge", 6), 0.0476190476, kDigits);
  EXPECT_NEAR(WeightOf("hinge", 3, {{"a", 1}, {"b", 0}}), 0.25, kDigits);
  EXPECT_NEAR(WeightOf("exponential", 2), 0.3678794412, kDigits);
  EXPECT_NEAR(WeightOf("inverse-sqrt", 3), 0.5, kDigits);
  EXPECT_NEAR(WeightOf("inverse-sqrt", 8), 0.3333333333, kDigits);
}

TEST(Staleness, IsOneWhenFreshAndNeverGrowsNorReachesZero) {
  const StrategyRegistries registries = BuiltinStrategies();
  EXPECT_EQ(registries.staleness.Names().size(), 5u);
  for (const std::string& name : registries.staleness.Names()) {
    const auto staleness = Make(registries.staleness, name);
    EXPECT_EQ(staleness->Weight(0), 1) << name;
    double last = 1;
    for (const uint64_t u : {1u, 2u, 4u, 5u, 6u, 100u, 100'000u, 1'000'000'000u}) {
      const double weight = staleness->Weight(u);
      EXPECT_LE(weight, last) << name << " at " << u;
      EXPECT_GT(weight, 0) << name << " at " << u;
      last = weight;
    }
  }
}

TEST(Staleness, HasABound) {
  const StrategyRegistries registries = BuiltinStrategies();
  EXPECT_EQ(Make(registries.staleness, "constant")->Max(), 1'000'000'000u);
  EXPECT_EQ(Make(registries.staleness, "hinge", {{"max", 7}})->Max(), 7u);
  EXPECT_EQ(Make(registries.staleness, "polynomial", {{"max", 0}})->Max(), 0u);
}

TEST(Staleness, RefusesWhatIsOutOfRange) {
  const StrategyRegistries registries = BuiltinStrategies();
  EXPECT_THAT(Refusal(registries.staleness, "polynomial", {{"a", -1}}), HasSubstr("'a' is -1"));
  EXPECT_THAT(Refusal(registries.staleness, "hinge", {{"b", -1}}), HasSubstr("'b' is -1"));
  EXPECT_THAT(Refusal(registries.staleness, "constant", {{"max", -1}}), HasSubstr("'max' is -1"));
  EXPECT_THAT(Refusal(registries.staleness, "polynomail"), HasSubstr("did you mean 'polynomial'?"));
}

}  // namespace
}  // namespace skein
