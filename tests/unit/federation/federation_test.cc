#include "skein/federation/federation.h"

#include <ATen/ATen.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using testing::HasSubstr;

// Adds (leaf + 1) to every element; samples are leaf + 1.
class Adder : public Learner {
 public:
  explicit Adder(const WorkerContext& context) : leaf_(context.leaf) {}
  absl::StatusOr<StateDict> Initialize(InitContext&) override {
    StateDict model;
    SKEIN_RETURN_IF_ERROR(model.Add("x", at::ones({4}, at::kFloat)));
    return model;
  }
  absl::StatusOr<TrainResult> Train(const StateDict& global, TrainContext&) override {
    SKEIN_ASSIGN_OR_RETURN(const at::Tensor x, global.Get("x"));
    TrainResult result;
    SKEIN_RETURN_IF_ERROR(result.model.Add("x", x + static_cast<double>(leaf_ + 1)));
    result.num_samples = leaf_ + 1;
    return result;
  }
  absl::StatusOr<EvalResult> Evaluate(const StateDict& model, EvalContext&) override {
    SKEIN_ASSIGN_OR_RETURN(const at::Tensor x, model.Get("x"));
    return EvalResult{1, {{"loss", x[0].item<double>()}}};
  }

 private:
  const LeafIndex leaf_;
};

absl::StatusOr<std::unique_ptr<Learner>> MakeAdder(const WorkerContext& context) {
  return std::make_unique<Adder>(context);
}

TEST(Federation, TrainsTheWeightedMean) {
  FederationOptions options;
  options.rounds = 2;
  auto federation = Federation::Create("flat:3", {}, MakeAdder, options);
  ASSERT_TRUE(federation.ok()) << federation.status();
  const auto result = (*federation)->Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, "completed") << result->reason;
  EXPECT_EQ(result->rounds, 2u);
  EXPECT_EQ(result->contributions, 6u);
  EXPECT_EQ(result->model_digest.size(), 64u);
  // 1 + 2 rounds of (1*1 + 2*2 + 3*3) / 6.
  EXPECT_NEAR(result->metrics.at("loss"), 1 + 2 * 14.0 / 6, 1e-6);
  ASSERT_EQ(result->bytes.size(), 1u);
  EXPECT_GT(result->bytes[0].up, 0u);
}

TEST(Federation, WritesItsDirectory) {
  TempDir temp;
  FederationOptions options;
  options.run_directory = temp / "run";
  auto federation = Federation::Create("tree:2x2", {}, MakeAdder, options);
  ASSERT_TRUE(federation.ok()) << federation.status();
  const auto result = (*federation)->Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->directory, temp / "run");
  for (const char* file : {"spec.yaml", "events.jsonl", "rounds.csv", "result.json",
                           "model.safetensors", "control.db"}) {
    EXPECT_TRUE(std::filesystem::exists(temp / (std::string("run/") + file))) << file;
  }
  EXPECT_FALSE(Federation::Create("tree:2x2", {}, MakeAdder, options).ok());
}

TEST(Federation, EndsByARule) {
  FederationOptions options;
  options.rounds = 100;
  options.stop.targets = {{"loss", true, 7.9, false}};  // 1 + 3 * 14.0 / 6 is 8, nearly
  auto federation = Federation::Create("flat:3", {}, MakeAdder, options);
  ASSERT_TRUE(federation.ok()) << federation.status();
  const auto result = (*federation)->Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, "completed");
  EXPECT_THAT(result->reason, HasSubstr("stop.metric: loss is "));
  EXPECT_EQ(result->rounds, 3u);
  EXPECT_NEAR(result->metrics.at("loss"), 8, 1e-4);
}

// Halves the rate after the first round, and ends the run after the third evaluation.
class Halver : public Steering {
 public:
  absl::StatusOr<SteeringDecision> Decide(const SteeringRecord& record) override {
    SteeringDecision decision;
    const bool evaluated = record.moment == SteeringRecord::Moment::kEvaluated;
    if (evaluated && record.round == 1) decision.optimizer = PartSpec{"", {{"lr", 0.5}}};
    if (evaluated && record.round == 3) decision.stop = "three are enough";
    return decision;
  }
};

TEST(Federation, IsSteeredByAHookOfTheProgram) {
  FederationOptions options;
  options.rounds = 100;
  options.steering = {"halver", {}};
  auto federation = Federation::Create("tree:1x3", {}, MakeAdder, options);
  ASSERT_TRUE(federation.ok()) << federation.status();
  const absl::Status registered =
      (*federation)
          ->registries()
          .steering.Register({"halver", "halves", "test", {}},
                             [](const Params&) { return std::make_shared<Halver>(); });
  ASSERT_TRUE(registered.ok());
  const auto result = (*federation)->Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->reason, "steering: three are enough");
  EXPECT_EQ(result->rounds, 3u);
  // One whole step of 14 / 6, then two halves.
  EXPECT_NEAR(result->metrics.at("loss"), 1 + 2 * 14.0 / 6, 1e-6);
}

TEST(Federation, AHookOrRuleThatIsNoneIsRefused) {
  FederationOptions options;
  options.steering = {"nobody", {}};
  auto federation = Federation::Create("flat:1", {}, MakeAdder, options);
  ASSERT_TRUE(federation.ok());
  EXPECT_THAT(Message((*federation)->Run().status()), HasSubstr("unknown steering 'nobody'"));
  options.steering = {};
  options.stop.time_s = -1;
  federation = Federation::Create("flat:1", {}, MakeAdder, options);
  ASSERT_TRUE(federation.ok());
  EXPECT_THAT(Message((*federation)->Run().status()), HasSubstr("stop.time_s"));
}

TEST(Federation, RunsOnce) {
  auto federation = Federation::Create("flat:1", {}, MakeAdder);
  ASSERT_TRUE(federation.ok());
  ASSERT_TRUE((*federation)->Run().ok());
  EXPECT_EQ((*federation)->Run().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Federation, StopBeforeRunEndsItAsStopped) {
  FederationOptions options;
  options.rounds = 1000;
  auto federation = Federation::Create("flat:2", {}, MakeAdder, options);
  ASSERT_TRUE(federation.ok());
  (*federation)->Stop();
  const auto result = (*federation)->Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, "stopped");
}

TEST(Federation, RefusesABadStrategyAtOnce) {
  StrategySpec strategy;
  strategy.tiers.push_back({.tier = 7});
  EXPECT_EQ(Federation::Create("flat:2", strategy, MakeAdder).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Federation, RefusesBadOptionsAtOnce) {
  EXPECT_EQ(Federation::Create("flat:2", {}, nullptr).status().code(),
            absl::StatusCode::kInvalidArgument);
  FederationOptions options;
  options.threads = -3;
  EXPECT_EQ(Federation::Create("flat:2", {}, MakeAdder, options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Federation, APartMayBeRegisteredAfterCreate) {
  StrategySpec strategy;
  strategy.selector.name = "mine";
  auto federation = Federation::Create("flat:2", strategy, MakeAdder);
  ASSERT_TRUE(federation.ok()) << federation.status();
  const auto result = (*federation)->Run();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(result.status()), HasSubstr("mine"));
}

TEST(Federation, ALearnerThatCannotBeMadeLeavesNothingBehind) {
  TempDir temp;
  FederationOptions options;
  options.run_directory = temp / "run";
  auto federation = Federation::Create(
      "flat:1", {},
      [](const WorkerContext&) -> absl::StatusOr<std::unique_ptr<Learner>> {
        return absl::DataLossError("images.gz is truncated");
      },
      options);
  ASSERT_TRUE(federation.ok());
  EXPECT_THAT(Message((*federation)->Run().status()), HasSubstr("images.gz is truncated"));
  EXPECT_FALSE(std::filesystem::exists(temp / "run"));
}

// Ignores cancellation until the test lets it go.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  int inside = 0;
  void Wait() {
    std::unique_lock lock(mutex);
    ++inside;
    changed.notify_all();
    changed.wait(lock, [this] { return open; });
    --inside;
    changed.notify_all();
  }
};

class Stubborn : public Adder {
 public:
  Stubborn(const WorkerContext& context, std::shared_ptr<Gate> gate)
      : Adder(context), gate_(std::move(gate)) {}
  absl::StatusOr<TrainResult> Train(const StateDict&, TrainContext&) override {
    gate_->Wait();
    return absl::CancelledError("too late");
  }

 private:
  const std::shared_ptr<Gate> gate_;
};

TEST(Federation, EndsWithoutALearnerThatIgnoresCancellation) {
  auto gate = std::make_shared<Gate>();
  FederationOptions options;
  options.limits.cancel_grace = std::chrono::milliseconds(50);
  options.threads = 1;
  auto federation = Federation::Create(
      "flat:1", {},
      [gate](const WorkerContext& context) { return std::make_unique<Stubborn>(context, gate); },
      options);
  ASSERT_TRUE(federation.ok());
  std::thread stopper([&] {
    std::unique_lock lock(gate->mutex);
    gate->changed.wait(lock, [&] { return gate->inside == 1; });
    lock.unlock();
    (*federation)->Stop();
  });
  const auto result = (*federation)->Run();
  stopper.join();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, "stopped");
  // The thread that was left behind ends when the learner does.
  std::unique_lock lock(gate->mutex);
  gate->open = true;
  gate->changed.notify_all();
  EXPECT_TRUE(
      gate->changed.wait_for(lock, std::chrono::seconds(30), [&] { return gate->inside == 0; }));
}

}  // namespace
}  // namespace skein
