#include "skein/strategy/numeric_plan.h"

#include <cmath>

#include <gmock/gmock.h>

#include "skein/base/status.h"
#include "strategy/linear/linear_checks.h"
#include "testing/fold_samples.h"

namespace skein {
namespace {

using testing::Filled;
using ::testing::HasSubstr;
using testing::MakeManifest;

PackedTensors ModelOf(double value, DType dtype = DType::kFloat32) {
  return Filled(MakeManifest({{"n", DType::kUint8, {1}}, {"w", dtype, {5000}}}),
                [&](size_t t, uint64_t i) { return t == 1 && i == 4999 ? value : 0.0; });
}

TEST(NumericPlan, FollowsTheFormula) {
  // 100 workers of 600 samples, V_max = 1024: min(62 - 16, 50 - 10) - 10.
  const auto plan = MakeNumericPlan(ModelOf(16), 600, 100);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->max_update_weight, 600u);
  EXPECT_EQ(plan->max_total_weight, 60000u);
  EXPECT_EQ(plan->scales[1], (TensorScale{30, 10}));
}

TEST(NumericPlan, BoundIsTheNextPowerOfTwoOf64TimesTheLargest) {
  struct Case {
    double largest;
    int bound_log2;
  };
  for (const Case& c : {Case{0, 0}, Case{1e-9, 0}, Case{1.0 / 64, 0}, Case{1.001 / 64, 1},
                        Case{1, 6}, Case{-1, 6}, Case{1.5, 7}, Case{-2, 7}, Case{1e37, 120}}) {
    const auto plan = MakeNumericPlan(ModelOf(c.largest), 1, 1);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->scales[1].bound_log2, c.bound_log2) << c.largest;
    EXPECT_EQ(plan->scales[1].scale_bits, 50 - c.bound_log2) << c.largest;
  }
}

TEST(NumericPlan, AFoldMayRaiseTheBound) {
  EXPECT_EQ(MakeNumericPlan(ModelOf(0), 1, 1, 1000)->scales[1].bound_log2, 10);
  EXPECT_EQ(MakeNumericPlan(ModelOf(100), 1, 1, 1000)->scales[1].bound_log2, 13);
}

TEST(NumericPlan, RunningStatisticsMayGrowFarBeyondTheirStart) {
  const PackedTensors model(
      Manifest::Create({{"mean", DType::kFloat32, {0}, TensorRole::kBuffer}}).value());
  EXPECT_EQ(MakeNumericPlan(model, 1, 1)->scales[0].bound_log2, 16);
  EXPECT_EQ(MakeNumericPlan(model, 1, 1, 1 << 20)->scales[0].bound_log2, 20);
}

TEST(NumericPlan, EveryTypeOfFloatHasABoundOfItsOwn) {
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16, DType::kFloat64}) {
    const auto plan = MakeNumericPlan(ModelOf(4, dtype), 1, 4);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->scales[1].bound_log2, 8) << NameOf(dtype);
    EXPECT_EQ(plan->scales[0], TensorScale{}) << "integers have none";
  }
}

TEST(NumericPlan, WhateverTheBoundsUpdatesStayBelow2To50AndSumsBelow2To62) {
  const PackedTensors model = ModelOf(3);
  for (int w = 0; w <= 40; w += 5) {
    for (int n = 0; n <= 31; ++n) {
      const auto plan = MakeNumericPlan(model, uint64_t{1} << w, uint64_t{1} << n);
      ASSERT_TRUE(plan.ok());
      const int bits = plan->scales[1].scale_bits + plan->scales[1].bound_log2;
      EXPECT_LE(bits + w, 50);
      EXPECT_LE(bits + w + n, 62);
      EXPECT_TRUE(bits + w == 50 || bits + w + n == 62) << "no bit is wasted";
      EXPECT_TRUE(CheckNumericPlan(*plan, model.manifest()).ok());
    }
  }
}

TEST(NumericPlan, NamesTensorAndIndexOfWhatIsNotFinite) {
  const auto nan = MakeNumericPlan(ModelOf(std::nan("")), 1, 1);
  EXPECT_EQ(nan.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(nan.status()), "tensor 'w' has NaN at index 4999");
  EXPECT_THAT(Message(MakeNumericPlan(ModelOf(-INFINITY), 1, 1).status()), HasSubstr("Inf at"));
}

TEST(NumericPlan, RefusesBoundsThatMakeNoSense) {
  for (const auto& [weight, workers] : std::vector<std::pair<uint64_t, uint64_t>>{
           {0, 1}, {(uint64_t{1} << 40) + 1, 1}, {1, 0}, {1, (uint64_t{1} << 31) + 1}}) {
    EXPECT_EQ(MakeNumericPlan(ModelOf(1), weight, workers).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(CheckNumericPlan, RefusesAPlanThatTheKernelsCannotRelyOn) {
  const PackedTensors model = ModelOf(1);
  const NumericPlan good = *MakeNumericPlan(model, 600, 100);
  const auto refused = [&](auto change) {
    NumericPlan plan = good;
    change(plan);
    return !CheckNumericPlan(plan, model.manifest()).ok();
  };
  EXPECT_TRUE(refused([](NumericPlan& p) { p.scales.pop_back(); }));
  EXPECT_TRUE(refused([](NumericPlan& p) { p.scales.emplace_back(); }));
  EXPECT_TRUE(refused([](NumericPlan& p) { ++p.scales[1].scale_bits; }));
  EXPECT_TRUE(refused([](NumericPlan& p) { ++p.scales[1].bound_log2; }));
  EXPECT_TRUE(refused([](NumericPlan& p) { p.scales[1] = {-5000, 100}; }));
  EXPECT_TRUE(refused([](NumericPlan& p) { p.scales[1] = {-5000, 5000}; }));
  EXPECT_TRUE(refused([](NumericPlan& p) { p.max_update_weight = 0; }));
  EXPECT_TRUE(refused([](NumericPlan& p) { p.max_update_weight = 100000; }));
  EXPECT_TRUE(refused([](NumericPlan& p) { p.max_total_weight = uint64_t{1} << 40; }));
  EXPECT_FALSE(refused([](NumericPlan&) {}));
}

}  // namespace
}  // namespace skein
