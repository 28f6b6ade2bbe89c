#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "skein/tensor/safetensors.h"
#include "testing/fold_samples.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

using Vector = std::vector<double>;

// A tensor of two elements, without the rounding of a model's: vectors have ten digits.
class Stepper {
 public:
  Stepper(const std::string& name, const ValueMap& params, Vector start)
      : optimizer_(Make(BuiltinStrategies().optimizers, name, params)), x_(std::move(start)) {
    const absl::Status ready = optimizer_->Prepare(Model());
    EXPECT_TRUE(ready.ok()) << ready;
  }
  static Manifest Model() {
    return testing::MakeManifest({{"w", DType::kFloat32, {2}, TensorRole::kParameter}});
  }
  const Vector& Step(const Vector& delta, double share = 1) {
    Vector next(x_.size());
    optimizer_->SetParticipation(share);
    optimizer_->BeginStep(Model());
    // In two pieces: state belongs to elements, not to calls.
    for (size_t i = 0; i < x_.size(); ++i) {
      optimizer_->Step(0, i, {&x_[i], 1}, {&delta[i], 1}, {&next[i], 1});
    }
    return x_ = next;
  }
  // The pseudo-gradient of a step to a given mean model.
  const Vector& StepTo(const Vector& mean) { return Step({mean[0] - x_[0], mean[1] - x_[1]}); }
  const Vector& x() const { return x_; }
  ServerOptimizer& optimizer() { return *optimizer_; }

 private:
  std::shared_ptr<ServerOptimizer> optimizer_;
  Vector x_;
};

void ExpectNear(const Vector& got, const Vector& expected, double tolerance = 2e-7) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], tolerance) << i;
}

TEST(FedAvgM, KeepsMomentum) {
  Stepper plain("fedavgm", {{"momentum", 0.9}}, {1, 2});
  ExpectNear(plain.StepTo({0.9, 2.2}), {0.9, 2.2});
  ExpectNear(plain.StepTo({0.8, 2.1}), {0.71, 2.28});
  ExpectNear(plain.StepTo({0.7, 2.0}), {0.529, 2.072});
}

TEST(FedAvgM, LooksAStepAhead) {
  Stepper nesterov("fedavgm", {{"momentum", 0.9}, {"nesterov", true}}, {1, 2});
  ExpectNear(nesterov.StepTo({0.9, 2.2}), {0.81, 2.38});
  ExpectNear(nesterov.StepTo({0.8, 2.1}), {0.71, 2.01});
  ExpectNear(nesterov.StepTo({0.7, 2.0}), {0.61, 1.91});
}

TEST(FedAvgM, WithoutMomentumIsSgdToTheBit) {
  Stepper momentum("fedavgm", {{"momentum", 0.0}, {"lr", 0.7}}, {1, -2});
  Stepper sgd("sgd", {{"lr", 0.7}}, {1, -2});
  for (const Vector& delta : {Vector{0.1, 0.3}, {-0.7, 1e-9}, {3e7, 0.2}}) {
    EXPECT_EQ(momentum.Step(delta), sgd.Step(delta));
  }
}

struct Adaptive {
  std::string name;
  ValueMap params;
  std::vector<Vector> x;  // after each of three steps
};

class FedOpt : public ::testing::TestWithParam<Adaptive> {};

TEST_P(FedOpt, GivesTheVectors) {
  Stepper stepper(GetParam().name, GetParam().params, {1, -2});
  ExpectNear(stepper.Step({0.2, -0.1}), GetParam().x[0]);
  ExpectNear(stepper.Step({0.1, 0.3}), GetParam().x[1]);
  ExpectNear(stepper.Step({-0.05, 0}), GetParam().x[2]);
}

INSTANTIATE_TEST_SUITE_P(Vectors, FedOpt,
                         ::testing::Values(Adaptive{"fedadam",
                                                    {},
                                                    {{1.0951260517, -2.0905028312},
                                                     {1.2153335789, -2.0261300072},
                                                     {1.3004297063, -1.9679115877}}},
                                           Adaptive{"fedadam",
                                                    {{"v0", "zero"}},
                                                    {{1.0952380952, -2.0909090909},
                                                     {1.2155592283, -2.0265056654},
                                                     {1.3007319487, -1.9682595743}}},
                                           Adaptive{"fedadam",
                                                    {{"v0", "zero"}, {"bias_correction", "flower"}},
                                                    {{1.0707104560, -2.0674963444},
                                                     {1.1472274955, -2.0265396203},
                                                     {1.1963905030, -1.9929190784}}},
                                           Adaptive{
                                               "fedadam",
                                               {{"v0", "zero"}, {"bias_correction", "kingma_ba"}},
                                               {{1.0952380952, -2.0909090909},
                                                {1.1845716982, -2.0430921372},
                                                {1.2387364508, -2.0060511093}}},
                                           Adaptive{"fedyogi",
                                                    {{"v0", "zero"}},
                                                    {{1.0095238095, -2.0090909091},
                                                     {1.0215097621, -2.0026536888},
                                                     {1.0299570931, -1.9968601905}}},
                                           Adaptive{"fedyogi",
                                                    {},
                                                    {{1.0095124922, -2.0090498756},
                                                     {1.0214869886, -2.0026157730},
                                                     {1.0299266217, -1.9968250806}}},
                                           Adaptive{"fedadagrad",
                                                    {{"v0", "zero"}},
                                                    {{1.0995024876, -2.0990099010},
                                                     {1.1440247376, -2.0044406255},
                                                     {1.1222977728, -2.0044406255}}},
                                           Adaptive{"fedadagrad",
                                                    {},
                                                    {{1.0995012500, -2.0990049999},
                                                     {1.1440230568, -2.0044361957},
                                                     {1.1222962980, -2.0044361957}}}));

TEST(FedOpt, StaysWhereNothingChanges) {
  for (const std::string name : {"fedadagrad", "fedadam", "fedyogi"}) {
    Stepper stepper(name, {}, {1, -2});
    for (int step = 0; step < 5; ++step) EXPECT_EQ(stepper.Step({0, 0}), (Vector{1, -2})) << name;
  }
}

TEST(FedOpt, AdamAndYogiBeginAlike) {
  Stepper adam("fedadam", {{"v0", "zero"}, {"lr", 0.01}}, {1, -2});
  Stepper yogi("fedyogi", {{"v0", "zero"}}, {1, -2});
  EXPECT_EQ(adam.Step({0.2, -0.1}), yogi.Step({0.2, -0.1}));
}

TEST(FedDyn, AddsWhatWorkersHaveDrifted) {
  // The quadratics 1/2 w^2 and (w - 3)^2, solved exactly, alpha 0.5: workers' own part by hand.
  const double a[] = {1, 2}, b[] = {0, 3}, alpha = 0.5;
  double lambda[] = {0, 0};
  Stepper server("feddyn", {}, {1, 1});
  const double expected[] = {1.9333333, 1.8666667, 1.88, 1.9066667};
  for (int round = 0; round < 60; ++round) {
    const double x = server.x()[0];
    double mean = 0;
    for (int k = 0; k < 2; ++k) {
      const double theta = (a[k] * b[k] + lambda[k] + alpha * x) / (a[k] + alpha);
      lambda[k] -= alpha * (theta - x);
      mean += (theta - x) / 2;
    }
    server.Step({mean, mean});
    if (round < 4) {
      EXPECT_NEAR(server.x()[0], expected[round], 1e-6) << round;
    }
  }
  EXPECT_NEAR(server.x()[0], 2, 1e-4);
  EXPECT_NEAR(lambda[0], 2, 1e-3);
}

TEST(FedDyn, CountsThoseWhoDidNotTakePart) {
  Stepper server("feddyn", {}, {0, 0});
  ExpectNear(server.Step({1, -1}, 0.25), {1.25, -1.25});
  ExpectNear(server.Step({0, 0}, 0.25), {1.5, -1.5});
}

// ---- what is kept ----

class OptimizerState : public ::testing::TestWithParam<std::string> {
 protected:
  OptimizerState()
      : path_(std::filesystem::temp_directory_path() /
              ("skein_optimizer_state_" + GetParam() + ".safetensors")) {
    std::filesystem::remove(path_);
  }
  ~OptimizerState() override { std::filesystem::remove(path_); }
  const std::filesystem::path path_;
};

TEST_P(OptimizerState, GoesOnFromAFile) {
  Stepper first(GetParam(), {}, {1, -2});
  EXPECT_FALSE(first.optimizer().State().has_value());
  first.Step({0.2, -0.1});
  first.Step({0.1, 0.3});
  ASSERT_TRUE(WriteSafetensors(first.optimizer().State(), path_).ok());
  Stepper second(GetParam(), {{"state", path_.string()}}, first.x());
  Stepper afresh(GetParam(), {}, first.x());
  const Vector expected = first.Step({-0.05, 0.01});
  EXPECT_EQ(second.Step({-0.05, 0.01}), expected);
  EXPECT_NE(afresh.Step({-0.05, 0.01}), expected);
}

TEST_P(OptimizerState, GoesOnWithOtherParameters) {
  Stepper first(GetParam(), {}, {1, -2});
  first.Step({0.2, -0.1});
  Stepper second(GetParam(), {}, first.x());
  second.optimizer().Continue(first.optimizer());
  EXPECT_EQ(second.Step({0.1, 0.3}), first.Step({0.1, 0.3}));
}

TEST_P(OptimizerState, RefusesTheStateOfAnother) {
  Stepper stepper(GetParam(), {}, {1, -2});
  stepper.Step({0.2, -0.1});
  ASSERT_TRUE(WriteSafetensors(stepper.optimizer().State(), path_).ok());
  const Manifest larger =
      testing::MakeManifest({{"w", DType::kFloat32, {3}, TensorRole::kParameter}});
  const auto same = Make(BuiltinStrategies().optimizers, GetParam(), {{"state", path_.string()}});
  EXPECT_THAT(Message(same->Prepare(larger)),
              HasSubstr("is no state of optimizer '" + GetParam() + "' for this model"));
  const std::string other = GetParam() == "fedadam" ? "fedyogi" : "fedadam";
  const auto another = Make(BuiltinStrategies().optimizers, other, {{"state", path_.string()}});
  EXPECT_THAT(Message(another->Prepare(Stepper::Model())),
              HasSubstr("is no state of optimizer '" + other + "'"));
  std::filesystem::remove(path_);
  EXPECT_EQ(same->Prepare(Stepper::Model()).code(), absl::StatusCode::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(All, OptimizerState,
                         ::testing::Values("fedavgm", "fedadagrad", "fedadam", "fedyogi", "feddyn"),
                         [](const auto& tested) { return tested.param; });

TEST(OptimizerStateFile, HoldsParametersOnly) {
  const Manifest model =
      testing::MakeManifest({{"w", DType::kBFloat16, {3}},
                             {"running", DType::kFloat32, {2}, TensorRole::kBuffer},
                             {"count", DType::kInt64, {}, TensorRole::kBuffer},
                             {"scale", DType::kFloat32, {}}});
  const auto adam = Make(BuiltinStrategies().optimizers, "fedadam");
  ASSERT_TRUE(adam->Prepare(model).ok());
  adam->BeginStep(model);
  const PackedTensors state = adam->State();
  std::vector<std::string> names;
  for (const TensorInfo& info : state.manifest().tensors()) names.push_back(ToString(info));
  EXPECT_THAT(names, ::testing::ElementsAre("F32[3]", "F32[3]", "F32[]", "F32[]", "I64[]"));
  EXPECT_EQ(state.manifest()[2].name, "fedadam.m/scale");
}

}  // namespace
}  // namespace skein
