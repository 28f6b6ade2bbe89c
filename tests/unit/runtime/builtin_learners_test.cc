#include "skein/builtins/learners.h"

#include <cmath>
#include <cstring>
#include <future>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/runtime/learner_requests.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

class BuiltinLearnersTest : public ::testing::Test {
 protected:
  BuiltinLearnersTest() { RegisterBuiltinLearners(registry_); }
  std::unique_ptr<Trainer> Make(const RunConfig& config, const NodeView& view) {
    auto trainer = factory_(config, view);
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    return *std::move(trainer);
  }

  LearnerRegistry registry_;
  StrategyRegistries strategies_ = BuiltinStrategies();
  TrainerFactory factory_ = MakeLearnerTrainerFactory(registry_, nullptr, &strategies_);
};

TEST_F(BuiltinLearnersTest, EchoAddsItsConstant) {
  RunConfig config = ConfigOf("echo");
  config.learner.params = {{"elements", 3}, {"constant", 0.25}, {"samples", 4}};
  auto model = Make(config, CoordinatorView())->Initialize();
  ASSERT_TRUE(model.ok()) << model.status();
  auto output = Make(config, WorkerView(0))->Train(*model, RequestOf(1));
  ASSERT_TRUE(output.ok()) << output.status();
  ASSERT_EQ(Floats(output->update, 0).size(), 3u);
  // The sum is rounded to float32 before the base is taken from it.
  for (float delta : Floats(output->update, 0)) EXPECT_NEAR(delta, 0.25F, 1e-6);
  EXPECT_EQ(output->num_samples, 4u);
}

TEST_F(BuiltinLearnersTest, EchoFaultsHitOnlyTheirLeafAndRound) {
  RunConfig config = ConfigOf("echo");
  config.learner.params = {{"fail_leaf", 1},
                           {"throw_leaf", 2},
                           {"wrong_shape_leaf", 3},
                           {"nan_leaf", 4},
                           {"fault_round", 2}};
  auto model = Make(config, CoordinatorView())->Initialize();
  ASSERT_TRUE(model.ok()) << model.status();
  const auto train = [&](LeafIndex leaf, uint64_t round) {
    return Make(config, WorkerView(leaf))->Train(*model, RequestOf(round));
  };
  for (LeafIndex leaf = 0; leaf < 5; ++leaf) EXPECT_TRUE(train(leaf, 1).ok());
  EXPECT_TRUE(train(0, 2).ok());
  EXPECT_THAT(Message(train(1, 2).status()), HasSubstr("worker 'w1'"));
  EXPECT_THAT(Message(train(2, 2).status()), HasSubstr("exception: threw"));
  EXPECT_THAT(Message(train(3, 2).status()), HasSubstr("tensor \"x\""));
  EXPECT_TRUE(std::isnan(Floats(train(4, 2)->update, 0)[0]));  // for the parent to refuse
}

TEST_F(BuiltinLearnersTest, EchoStallsUntilItIsCancelled) {
  RunConfig config = ConfigOf("echo");
  config.learner.params = {{"stall_leaf", 0}};
  auto model = Make(config, CoordinatorView())->Initialize();
  ASSERT_TRUE(model.ok()) << model.status();
  auto trainer = Make(config, WorkerView(0));
  auto flag = std::make_shared<std::atomic<bool>>(false);
  TrainRequest request = RequestOf(1);
  request.cancelled = flag;
  auto stalled = std::async(std::launch::async, [&] { return trainer->Train(*model, request); });
  *flag = true;
  EXPECT_EQ(stalled.get().status().code(), absl::StatusCode::kCancelled);
}

TEST_F(BuiltinLearnersTest, LinearMakesAsManyStepsAsItIsTold) {
  const RunConfig config = ConfigOf("linear");
  const auto model = Make(config, CoordinatorView())->Initialize();
  ASSERT_TRUE(model.ok()) << model.status();
  auto worker = Make(config, WorkerView(0));
  for (const auto& [told, made] : {std::pair(0u, 5), std::pair(3u, 3), std::pair(40u, 40)}) {
    TrainRequest request = RequestOf(1);
    request.steps = told;
    auto output = worker->Train(*model, request);
    ASSERT_TRUE(output.ok()) << output.status();
    int64_t steps = 0;
    std::memcpy(&steps, output->update.tensor(2).data(), sizeof(steps));
    EXPECT_EQ(steps, made);
    EXPECT_EQ(output->metrics.at("steps"), made);
    EXPECT_FALSE(output->metrics.contains("initial_loss"));
  }
}

TEST_F(BuiltinLearnersTest, LinearSaysItsInitialLossIfAFoldAsks) {
  RunConfig config = ConfigOf("linear");
  config.strategy.tiers = {{.tier = 1, .fold = PartSpec{"qfedavg", {{"lr", 0.05}}}}};
  const auto model = Make(config, CoordinatorView())->Initialize();
  ASSERT_TRUE(model.ok()) << model.status();
  auto worker = Make(config, WorkerView(0));
  const auto output = worker->Train(*model, RequestOf(1));
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->metrics.at("initial_loss"),
            worker->Evaluate(*model, RequestOf(1))->metrics.at("loss"));
}

// FedAvg by hand over four workers.
TEST_F(BuiltinLearnersTest, LinearConvergesWithUnequalWorkers) {
  RunConfig config = ConfigOf("linear");
  auto coordinator = Make(config, CoordinatorView());
  auto model = coordinator->Initialize();
  ASSERT_TRUE(model.ok()) << model.status();
  std::vector<std::unique_ptr<Trainer>> workers;
  for (LeafIndex leaf = 0; leaf < 4; ++leaf) workers.push_back(Make(config, WorkerView(leaf)));
  const double before = coordinator->Evaluate(*model, RequestOf(0))->metrics.at("loss");
  for (uint64_t round = 1; round <= 8; ++round) {
    StateDict next = StateDict::Unpack(*model);
    double total = 0;
    std::vector<std::pair<StateDict, double>> updates;
    for (auto& worker : workers) {
      auto output = worker->Train(*model, RequestOf(round));
      ASSERT_TRUE(output.ok()) << output.status();
      updates.emplace_back(StateDict::Unpack(output->update), output->num_samples);
      total += static_cast<double>(output->num_samples);
    }
    EXPECT_EQ(total, 100 + 150 + 200 + 250);
    for (const auto& [update, samples] : updates) {
      for (const char* name : {"weight", "bias"}) {
        next.Get(name)->add_(*update.Get(name), samples / total);
      }
    }
    model = next.Pack();
  }
  EXPECT_GT(before, 1.0);
  EXPECT_LT(coordinator->Evaluate(*model, RequestOf(9))->metrics.at("loss"), 0.02);
}

}  // namespace
}  // namespace skein
