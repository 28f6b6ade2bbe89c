#include "strategy/companions.h"

#include <cstring>

#include <gtest/gtest.h>

#include "skein/strategy/numeric_plan.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

// "w" of two floats, a counter and a running mean.
PackedTensors Model() {
  PackedTensors model(*Manifest::Create({{"w", DType::kFloat32, {2}},
                                         {"steps", DType::kInt64, {}, TensorRole::kBuffer},
                                         {"mean", DType::kFloat32, {1}, TensorRole::kBuffer}}));
  const float w[2] = {1, -2}, mean = 5;
  const int64_t steps = 7;
  std::memcpy(model.mutable_tensor(0).data(), w, sizeof(w));
  std::memcpy(model.mutable_tensor(1).data(), &steps, sizeof(steps));
  std::memcpy(model.mutable_tensor(2).data(), &mean, sizeof(mean));
  return model;
}

std::vector<NamedTerm> Scaffold() {
  StrategySpec spec;
  spec.terms = {{"fedprox", {}}, {"scaffold", {}}};
  return *MakeTerms(spec, BuiltinStrategies());
}

float At(const PackedTensors& tensors, size_t tensor, size_t i) {
  float value = 0;
  std::memcpy(&value, tensors.tensor(tensor).data() + i * sizeof(float), sizeof(float));
  return value;
}

void Set(PackedTensors& tensors, size_t tensor, size_t i, float value) {
  std::memcpy(tensors.mutable_tensor(tensor).data() + i * sizeof(float), &value, sizeof(float));
}

TEST(CompanionsTest, StandBehindTheModelAndBeginAtZero) {
  const PackedTensors model = Model();
  const auto extended = WithCompanions(model, Scaffold());
  ASSERT_TRUE(extended.ok()) << extended.status();
  ASSERT_EQ(extended->manifest().size(), 4u) << "one, of the float parameter";
  const TensorInfo& c = extended->manifest()[3];
  EXPECT_EQ(c.name, "scaffold.c/w");
  EXPECT_EQ(c.role, TensorRole::kCompanion);
  EXPECT_EQ(At(*extended, 3, 0), 0);
  EXPECT_EQ(At(*extended, 3, 1), 0);

  const PackedTensors own = WithoutCompanions(*extended);
  EXPECT_EQ(own.manifest(), model.manifest());
  EXPECT_TRUE(std::ranges::equal(own.bytes(), model.bytes()));
  EXPECT_EQ(own.bytes().data(), extended->bytes().data()) << "nothing is copied";
}

TEST(CompanionsTest, ModelsWithoutAreLeftAlone) {
  const PackedTensors model = Model();
  const auto extended = WithCompanions(model, {});
  ASSERT_TRUE(extended.ok());
  EXPECT_EQ(extended->bytes().data(), model.bytes().data());
  EXPECT_EQ(WithoutCompanions(model).bytes().data(), model.bytes().data());
  const auto shared = WithCompanionShare(model, model, 0.5);
  ASSERT_TRUE(shared.ok());
  EXPECT_EQ(shared->bytes().data(), model.bytes().data());
}

TEST(CompanionsTest, TakeAShareOfTheMeanChange) {
  auto base = *WithCompanions(Model(), Scaffold());
  Set(base, 3, 0, 1);
  auto next = *WithCompanions(Model(), Scaffold());
  Set(next, 0, 0, 9);
  Set(next, 3, 0, 5);
  Set(next, 3, 1, -2);
  const auto scaled = WithCompanionShare(base, next, 0.25);
  ASSERT_TRUE(scaled.ok()) << scaled.status();
  EXPECT_EQ(At(*scaled, 3, 0), 2);
  EXPECT_EQ(At(*scaled, 3, 1), -0.5F);
  EXPECT_EQ(At(*scaled, 0, 0), 9) << "the model is not touched";
  const auto all = WithCompanionShare(base, next, 1);
  EXPECT_EQ(At(*all, 3, 0), 5);
}

// They bypass the server's optimizer, and may grow far from the 0 that they begin with.
TEST(CompanionsTest, FoldsAddUpWhatTheyChangeBy) {
  const StrategyRegistries parts = BuiltinStrategies();
  const auto base = *WithCompanions(Model(), Scaffold());
  const auto fold = Make(parts.folds, "mean");
  const auto plan = MakeNumericPlan(base, 1, 2);
  ASSERT_TRUE(plan.ok());
  const auto sums = fold->NewAccumulator(base.manifest(), *plan);
  for (const float change : {1000.F, -3000.F}) {
    PackedTensors update(*UpdateManifest(base.manifest()));
    std::ranges::fill(update.mutable_bytes(), std::byte{0});
    Set(update, 0, 0, 2);
    Set(update, 3, 1, change);
    UpdateHeader header;
    header.num_samples = 10;
    const absl::Status added = sums->Add(header, update);
    ASSERT_TRUE(added.ok()) << added;
  }
  const auto optimizer = Make(parts.optimizers, "sgd", {{"lr", 0.5}});
  const auto next = sums->Finish(base, *optimizer);
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(At(*next, 0, 0), 2) << "1 + 0.5 * 2";
  EXPECT_EQ(At(*next, 3, 1), -1000) << "without the learning rate";
}

}  // namespace
}  // namespace skein
