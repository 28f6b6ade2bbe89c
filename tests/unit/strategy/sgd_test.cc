#include <array>

#include <gmock/gmock.h>

#include "testing/fold_samples.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

TEST(Sgd, AddsTheRateTimesTheMeanDifference) {
  const auto sgd = Make(BuiltinStrategies().optimizers, "sgd", {{"lr", 0.5}});
  const std::array<double, 2> x = {1, 2}, mean = {4, -8};
  std::array<double, 2> next{};
  sgd->BeginStep({});
  sgd->Step(0, 0, x, mean, next);
  EXPECT_EQ(next, (std::array<double, 2>{3, -2}));
}

TEST(Sgd, WithRateOneIsFedAvgToTheBit) {
  Rng rng(8);
  const PackedTensors base = testing::RandomModel(testing::MixedManifest(), 0.3, rng);
  const auto fold = Make(BuiltinStrategies().folds, "fedavg");
  const NumericPlan plan = *MakeNumericPlan(base, 600, 9);
  const auto accumulator = fold->NewAccumulator(base.manifest(), plan);
  const auto another = fold->NewAccumulator(base.manifest(), plan);
  double total = 0;
  for (const auto& update : testing::RandomUpdates(base, 9, 600, 0.1, rng)) {
    ASSERT_TRUE(accumulator->Add(update.header, update.tensors).ok());
    ASSERT_TRUE(another->Add(update.header, update.tensors).ok());
    total += static_cast<double>(update.header.num_samples);
  }
  const auto sgd = Make(BuiltinStrategies().optimizers, "sgd");
  const PackedTensors next = *accumulator->Finish(base, *sgd);
  const Partial partial = *another->TakePartial();
  // float32(double(x) + double(sum q) / (2^S * sum w)), in that order.
  const size_t t = *base.manifest().Find("fc.weight");
  for (uint64_t i = 0; i < base.manifest()[t].NumElements(); ++i) {
    const double mean =
        testing::ValueAt(partial.sums, t, i) / (std::ldexp(1.0, plan.scales[t].scale_bits) * total);
    ASSERT_EQ(testing::ValueAt(next, t, i), static_cast<float>(testing::ValueAt(base, t, i) + mean))
        << i;
  }
}

TEST(Sgd, RefusesARateOutOfRange) {
  const StrategyRegistries registries = BuiltinStrategies();
  for (const double lr : {0.0, -1.0, 2e6}) {
    EXPECT_THAT(Refusal(registries.optimizers, "sgd", {{"lr", lr}}),
                HasSubstr("optimizer 'sgd': 'lr' is"));
  }
}

}  // namespace
}  // namespace skein
