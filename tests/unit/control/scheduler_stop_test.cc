// Runs that a rule or the hook ends, or steers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/builtins/strategies.h"
#include "unit/control/scheduler_driver.h"

namespace skein {
namespace {

using scheduler::State;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using D = SchedulerDriver;

StopRules Accuracy(double at_least) {
  StopRules rules;
  rules.targets = {{"accuracy", true, at_least, false}};
  return rules;
}

StopRules Loss(double at_most) {
  StopRules rules;
  rules.targets = {{"loss", false, at_most, /*training=*/true}};
  return rules;
}

StopRules Time(double time_s) {
  StopRules rules;
  rules.time_s = time_s;
  return rules;
}

// Says the same each time it is asked for a round.
class Decisions : public Steering {
 public:
  std::map<uint64_t, SteeringDecision> on_commit;
  std::map<uint64_t, SteeringDecision> on_evaluation;
  std::vector<SteeringRecord> records;
  absl::StatusOr<SteeringDecision> Decide(const SteeringRecord& record) override {
    records.push_back(record);
    const bool committed = record.moment == SteeringRecord::Moment::kCommitted;
    auto& decisions = committed ? on_commit : on_evaluation;
    return decisions[record.round];
  }
};

class Stopped : public D {
 public:
  Stopped(StopRules rules, RunConfig config = DefaultConfig(), bool barriers = true,
          std::shared_ptr<Steering> steering = nullptr)
      : D("tree:2x2", config, {}, SelectAll(), barriers, std::move(rules),
          std::make_shared<Helm>(std::move(steering), config.strategy, Shape("tree:2x2"),
                                 Registries())) {}

  static const StrategyRegistries* Registries() {
    static const StrategyRegistries* registries = [] {
      auto* made = new StrategyRegistries;
      RegisterBuiltinStrategies(*made);
      return made;
    }();
    return registries;
  }
  static RunConfig Stream() {
    RunConfig config = DefaultConfig();
    config.rounds = 100;
    config.strategy.policy = {"every_update", {}};
    return config;
  }

  void At(int64_t second) {
    now = seconds(second);
    Tell(scheduler::NodeHeard{"root"});
    Tell(scheduler::Tick{});
  }
  // Without a barrier.
  void MakeVersion(uint64_t version, bool evaluating = false, double loss = 1) {
    RoundResultMsg result{version, plan.attempt};
    result.version = {version, plan.attempt, 0};
    result.roster = Roster::Of({0});
    result.bases = {{version - 1, 1}};
    result.evaluating = evaluating;
    result.metrics = {{"loss", loss}};
    Tell(scheduler::RoundResult{"root", result, {{1'000'000, 0}}});
  }
  void Evaluate(uint64_t version, double accuracy = 0.1) {
    EvaluatedMsg result{version, {version, 0, 0}, "coordinator", 0, "", 10, {}};
    result.metrics = {{"accuracy", accuracy}};
    Tell(scheduler::Evaluated{"root", result});
  }
  void Stored(uint64_t version, bool evaluating = false) {
    Tell(scheduler::Finished{"root",
                             {.version = {version, 0, 0},
                              .digest = "stored" + std::to_string(version),
                              .evaluating = evaluating}});
  }
  void ExpectCompleted(const std::string& reason, uint64_t rounds, const std::string& digest) {
    EXPECT_EQ(core.state(), State::kStopping);
    GoodbyeAll();
    const auto finish = Of<scheduler::Finish>(log);
    ASSERT_THAT(finish, SizeIs(1));
    EXPECT_EQ(finish[0].status, "completed");
    EXPECT_THAT(finish[0].reason, HasSubstr(reason));
    EXPECT_EQ(finish[0].rounds, rounds);
    const Event ended = Events(log, event::kRunEnded).at(0);
    EXPECT_EQ(ended.fields.at("status"), Value("completed"));
    EXPECT_EQ(ended.fields.at("reason"), Value(finish[0].reason));
    if (!digest.empty()) {
      EXPECT_EQ(ended.fields.at("digest"), Value(digest));
    }
  }
};

// ---- with a barrier ----

TEST(SchedulerStop, ATargetEndsTheRunAfterItsEvaluation) {
  Stopped driver(Accuracy(0.7));
  driver.Begin();
  driver.FinishRound();
  driver.FinishEvaluation();  // accuracy 0.75
  EXPECT_THAT(D::Sent<PlanMsg>(driver.log), SizeIs(1));
  EXPECT_THAT(D::Sent<FinishMsg>(driver.log), IsEmpty()) << "all is stored and evaluated";
  driver.ExpectCompleted("stop.metric: accuracy is 0.75 after round 1", 1, "d1");
}

TEST(SchedulerStop, AllPlacesReportBeforeTheEnd) {
  RunConfig config = D::DefaultConfig();
  config.evaluate = {true, true, 1};
  Stopped driver(Accuracy(0.7), config);
  driver.Begin();
  driver.FinishRound();
  driver.FinishEvaluation("coordinator");
  EXPECT_EQ(driver.core.state(), State::kEvaluating);
  driver.FinishEvaluation("workers");
  EXPECT_THAT(D::Events(driver.log, event::kEvaluated), SizeIs(2));
  driver.ExpectCompleted("stop.metric", 1, "d1");
}

TEST(SchedulerStop, ARoundThatEndsTheRunIsEvaluatedThoughItWasNotDue) {
  RunConfig config = D::DefaultConfig();
  config.evaluate.every = 100;
  Stopped driver(Loss(1), config);
  driver.Begin();
  RoundResultMsg result = driver.Result();
  result.metrics = {{"loss", 0.5}};
  driver.Tell(scheduler::RoundResult{"root", result});
  const auto commits = D::Sent<CommitMsg>(driver.last);
  ASSERT_THAT(commits, SizeIs(1));
  EXPECT_TRUE(commits[0].second.evaluate_at_coordinator);
  driver.FinishEvaluation();
  driver.ExpectCompleted("stop.metric: loss is 0.5 after round 1, at most 1", 1, "d1");
}

TEST(SchedulerStop, ABudgetOfBytesEndsTheRun) {
  StopRules rules;
  rules.bytes_mb = 5;
  Stopped driver(rules);
  driver.Begin();
  for (uint64_t round = 1; round <= 2; ++round) {
    driver.Tell(scheduler::RoundResult{
        "root", driver.Result(), {{round * 1'000'000, round * 1'000'000}, {500'000, 500'000}}});
    driver.FinishEvaluation();
  }
  driver.ExpectCompleted("stop.bytes_mb: 5 MB", 2, "d2");
}

TEST(SchedulerStop, TimeEndsTheOpenRound) {
  Stopped driver(Time(5));
  driver.Begin();
  driver.FinishRound();
  driver.FinishEvaluation();
  driver.At(4);
  EXPECT_EQ(driver.core.state(), State::kTraining);
  driver.At(5);
  EXPECT_EQ(driver.core.state(), State::kFinishing);
  const auto rounds = D::Of<scheduler::PersistRound>(driver.last);
  ASSERT_THAT(rounds, SizeIs(1));
  EXPECT_EQ(rounds[0].record.round, 2u);
  EXPECT_EQ(rounds[0].record.state, "failed");
  const auto finish = D::Sent<FinishMsg>(driver.last);
  ASSERT_THAT(finish, SizeIs(1));
  EXPECT_EQ(finish[0].first, "root");
  EXPECT_FALSE(finish[0].second.evaluate_at_coordinator) << "round 1 is evaluated";
  driver.FinishRound();  // it crossed our word
  EXPECT_THAT(driver.last, IsEmpty());
  driver.Stored(1);
  driver.ExpectCompleted("stop.time_s: 5 s have passed", 1, "stored1");
}

TEST(SchedulerStop, TimeThatEndsTheFirstRoundLeavesTheInitialModel) {
  RunConfig config = D::DefaultConfig();
  config.evaluate = {true, true, 1};
  Stopped driver(Time(5), config);
  driver.Begin();
  driver.At(5);
  const auto finish = D::Sent<FinishMsg>(driver.last);
  ASSERT_THAT(finish, SizeIs(1));
  EXPECT_TRUE(finish[0].second.evaluate_at_coordinator);
  EXPECT_TRUE(finish[0].second.evaluate_at_workers);
  EXPECT_EQ(finish[0].second.participants, Roster::Range(0, 4));
  driver.Evaluate(0);
  EXPECT_THAT(D::Events(driver.last, event::kEvaluated), SizeIs(1));
  driver.Stored(0);
  EXPECT_EQ(driver.core.state(), State::kFinishing);
  EvaluatedMsg workers{0, {}, "workers"};
  driver.Tell(scheduler::Evaluated{"root", workers});
  driver.ExpectCompleted("stop.time_s", 0, "stored0");
}

TEST(SchedulerStop, TimeThatPassesDuringAnEvaluationWaitsForIt) {
  Stopped driver(Time(5));
  driver.Begin();
  driver.FinishRound();
  driver.At(6);
  EXPECT_EQ(driver.core.state(), State::kEvaluating);
  driver.FinishEvaluation();
  driver.ExpectCompleted("stop.time_s", 1, "d1");
}

TEST(SchedulerStop, TimeIsCountedFromTheFirstRound) {
  Stopped driver(Time(5));
  driver.now = seconds(50);
  driver.Begin();
  driver.At(54);
  EXPECT_EQ(driver.core.state(), State::kTraining);
  driver.At(55);
  EXPECT_EQ(driver.core.state(), State::kFinishing);
}

TEST(SchedulerStop, AModelThatCannotBeStoredFailsTheRun) {
  Stopped driver(Time(5));
  driver.Begin();
  driver.At(5);
  driver.Tell(scheduler::Finished{"root", {.code = 8, .message = "disk is full"}});
  EXPECT_EQ(driver.core.state(), State::kStopping);
  EXPECT_EQ(driver.Reason(), "the last version could not be stored: disk is full");
}

TEST(SchedulerStop, TheLastRoundMaySayWhichRuleItMet) {
  RunConfig config = D::DefaultConfig();
  config.rounds = 1;
  Stopped driver(Accuracy(0.7), config);
  driver.Begin();
  driver.FinishRound();
  driver.FinishEvaluation();
  driver.ExpectCompleted("stop.metric", 1, "d1");
}

TEST(SchedulerStop, AMetricThatNobodyReportsIsWarnedOfOnce) {
  Stopped driver([] {
    StopRules rules;
    rules.targets = {{"acuracy", true, 0.5, false}};
    return rules;
  }());
  driver.Begin();
  for (int round = 1; round <= 3; ++round) {
    driver.FinishRound();
    driver.FinishEvaluation();
  }
  const auto warned = D::Events(driver.log, event::kStopWarned);
  ASSERT_THAT(warned, SizeIs(1));
  EXPECT_EQ(warned[0].round, 1u);
  EXPECT_EQ(warned[0].fields.at("reason"),
            Value("stop.metric: the evaluation reports no 'acuracy'; it reports accuracy, loss"));
  driver.ExpectCompleted("", 3, "d3");
}

// ---- without one ----

TEST(SchedulerStop, AStreamEndsWithTheVersionThatTheCoordinatorHasComeTo) {
  Stopped driver(Accuracy(0.7), Stopped::Stream(), /*barriers=*/false);
  driver.Begin();
  driver.MakeVersion(1, /*evaluating=*/true);
  driver.MakeVersion(2);
  driver.Evaluate(1, 0.8);
  EXPECT_EQ(driver.core.state(), State::kFinishing);
  ASSERT_THAT(D::Sent<FinishMsg>(driver.last), SizeIs(1));
  driver.MakeVersion(3);  // before it heard of it
  EXPECT_THAT(D::Events(driver.last, event::kVersionCommitted), SizeIs(1));
  driver.Stored(3, /*evaluating=*/true);
  const auto rounds = D::Of<scheduler::PersistRound>(driver.last);
  ASSERT_THAT(rounds, SizeIs(1)) << "its digest";
  EXPECT_EQ(rounds[0].record.round, 3u);
  EXPECT_EQ(rounds[0].record.digest, "stored3");
  EXPECT_EQ(driver.core.state(), State::kFinishing);
  driver.Evaluate(3, 0.85);
  EXPECT_THAT(D::Events(driver.last, event::kEvaluated), SizeIs(1));
  driver.ExpectCompleted("stop.metric: accuracy is 0.8 after round 1", 3, "stored3");
}

TEST(SchedulerStop, AStreamIsEndedByTimeBytesAndTraining) {
  StopRules bytes;
  bytes.bytes_mb = 1;
  for (const StopRules& rules : {bytes, Loss(1)}) {
    Stopped driver(rules, Stopped::Stream(), /*barriers=*/false);
    driver.Begin();
    driver.MakeVersion(1);
    EXPECT_EQ(driver.core.state(), State::kFinishing);
    driver.Stored(1);
    driver.ExpectCompleted("stop.", 1, "stored1");
  }
  Stopped driver(Time(5), Stopped::Stream(), /*barriers=*/false);
  driver.Begin();
  driver.MakeVersion(1);
  driver.At(5);
  driver.Stored(1);
  driver.ExpectCompleted("stop.time_s", 1, "stored1");
}

TEST(SchedulerStop, AStreamThatFailsWhileItEndsHasCompleted) {
  Stopped driver(Time(5), Stopped::Stream(), /*barriers=*/false);
  driver.Begin();
  driver.MakeVersion(1);
  driver.At(5);
  driver.Tell(scheduler::RoundResult{"root", RoundResultMsg{1, 0, 10, "nobody is left"}});
  EXPECT_EQ(driver.core.state(), State::kFinishing);
  driver.Stored(1);
  driver.ExpectCompleted("stop.time_s", 1, "stored1");
}

// The coordinator speaks of its plan, whatever versions it has made since.
TEST(SchedulerStop, AStreamThatGivesUpFails) {
  Stopped driver({}, Stopped::Stream(), /*barriers=*/false);
  driver.Begin();
  driver.MakeVersion(1);
  driver.MakeVersion(2);
  driver.Tell(scheduler::RoundResult{"root", RoundResultMsg{1, 0, 10, "nobody is left"}});
  EXPECT_EQ(driver.core.state(), State::kStopping);
  EXPECT_EQ(driver.Reason(), "round 3: nobody is left");
}

TEST(SchedulerStop, AnotherVersionThanTheLastFailsTheRun) {
  Stopped driver(Time(5), Stopped::Stream(), /*barriers=*/false);
  driver.Begin();
  driver.MakeVersion(1);
  driver.At(5);
  driver.Stored(2);
  EXPECT_THAT(driver.Reason(), HasSubstr("the coordinator stored version"));
}

// ---- the hook ----

TEST(SchedulerSteering, TheHookIsToldOfRoundsAndEvaluations) {
  auto hook = std::make_shared<Decisions>();
  Stopped driver({}, D::DefaultConfig(), true, hook);
  driver.Begin();
  driver.now = seconds(2);
  RoundResultMsg result = driver.Result();
  result.metrics = {{"loss", 2}};
  driver.Tell(scheduler::RoundResult{"root", result, {{10, 20}, {30, 40}}});
  driver.FinishEvaluation();
  ASSERT_THAT(hook->records, SizeIs(2));
  const SteeringRecord& committed = hook->records[0];
  EXPECT_EQ(committed.moment, SteeringRecord::Moment::kCommitted);
  EXPECT_EQ(committed.round, 1u);
  EXPECT_EQ(committed.rounds, 3u);
  EXPECT_EQ(committed.time_s, 2);
  EXPECT_EQ(committed.wall_s, 2);
  EXPECT_EQ(committed.metrics.at("loss"), 2);
  EXPECT_EQ(committed.contributors, Roster::Range(0, 4));
  EXPECT_EQ(committed.updates, 4u);
  EXPECT_EQ(committed.bytes.at(1), (TierTraffic{30, 40}));
  const SteeringRecord& evaluated = hook->records[1];
  EXPECT_EQ(evaluated.moment, SteeringRecord::Moment::kEvaluated);
  EXPECT_EQ(evaluated.where, "coordinator");
  EXPECT_EQ(evaluated.metrics.at("accuracy"), 0.75);
}

TEST(SchedulerSteering, TheHookIsToldOfStaleness) {
  auto hook = std::make_shared<Decisions>();
  Stopped driver({}, Stopped::Stream(), false, hook);
  driver.Begin();
  driver.MakeVersion(1);
  RoundResultMsg result{2, 0};
  result.version = {2, 0, 0};
  result.roster = Roster::Of({0, 1});
  result.bases = {{0, 1}, {1, 3}};
  driver.Tell(scheduler::RoundResult{"root", result});
  EXPECT_EQ(hook->records.at(1).updates, 4u);
  EXPECT_EQ(hook->records[1].mean_staleness, 0.25);
  EXPECT_EQ(hook->records[1].max_staleness, 1u);
  EXPECT_FALSE(hook->records[1].root_has_barrier);
}

TEST(SchedulerSteering, AChangeGoesWithTheNextPlanAndIntoTheRecord) {
  auto hook = std::make_shared<Decisions>();
  hook->on_evaluation[1].optimizer = PartSpec{"", {{"lr", 0.5}}};
  hook->on_evaluation[1].policies[1] = PartSpec{"quorum", {{"count", 2}}};
  hook->on_evaluation[1].selector = PartSpec{"count", {{"count", 3}}};
  hook->on_evaluation[1].why = "to see";
  Stopped driver({}, D::DefaultConfig(), true, hook);
  driver.Begin();
  EXPECT_EQ(driver.plan.change, StrategyChange());
  driver.FinishRound();
  driver.FinishEvaluation();
  const auto steered = D::Events(driver.last, event::kSteered);
  ASSERT_THAT(steered, SizeIs(1));
  EXPECT_EQ(steered[0].round, 1u);
  EXPECT_EQ(ToJson(steered[0].fields),
            R"({"change":1,"from":2,"on":"evaluated","optimizer":{"name":"sgd","params":)"
            R"({"lr":0.5}},"policies":[{"policy":{"name":"quorum","params":{"count":2,)"
            R"("timeout_s":600}},"tier":1}],"selector":{"name":"count","params":{"count":3}},)"
            R"("where":"coordinator","why":"to see"})");
  EXPECT_EQ(driver.plan.round, 2u);
  EXPECT_EQ(driver.plan.change.number, 1u);
  EXPECT_EQ(driver.plan.change.optimizer->params.at("lr"), Value(0.5));
  EXPECT_EQ(driver.plan.change.policies.at(1).name, "quorum");
  EXPECT_EQ(driver.plan.participants.Count(), 3u);
  EXPECT_THAT(D::Sent<SteerMsg>(driver.log), IsEmpty());
}

TEST(SchedulerSteering, WithoutABarrierAMessageNamesTheVersion) {
  auto hook = std::make_shared<Decisions>();
  hook->on_commit[2].optimizer = PartSpec{"", {{"lr", 0.5}}};
  hook->on_commit[3].optimizer = PartSpec{"", {{"lr", 0.25}}};
  hook->on_commit[3].from_version = 9;
  Stopped driver({}, Stopped::Stream(), false, hook);
  driver.Begin();
  driver.MakeVersion(1);
  driver.MakeVersion(2);
  auto sent = D::Sent<SteerMsg>(driver.last);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].first, "root");
  EXPECT_EQ(sent[0].second.from_version, 3u);
  driver.MakeVersion(3);
  sent = D::Sent<SteerMsg>(driver.last);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].second.from_version, 9u);
  EXPECT_EQ(sent[0].second.change.number, 2u);
}

TEST(SchedulerSteering, TheHookEndsARun) {
  auto hook = std::make_shared<Decisions>();
  hook->on_evaluation[2].stop = "good enough";
  Stopped driver({}, D::DefaultConfig(), true, hook);
  driver.Begin();
  for (int round = 1; round <= 2; ++round) {
    driver.FinishRound();
    driver.FinishEvaluation();
  }
  EXPECT_THAT(D::Events(driver.log, event::kSteered), SizeIs(1));
  driver.ExpectCompleted("steering: good enough", 2, "d2");
}

TEST(SchedulerSteering, WhatIsImpossibleIsRecordedAndTheRunGoesOn) {
  auto hook = std::make_shared<Decisions>();
  hook->on_commit[1].selector = PartSpec{"nonsense", {}};
  Stopped driver({}, D::DefaultConfig(), true, hook);
  driver.Begin();
  driver.FinishRound();
  const auto refused = D::Events(driver.last, event::kSteeringRefused);
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_EQ(refused[0].round, 1u);
  EXPECT_THAT(*refused[0].fields.at("reason").AsString(), HasSubstr("'nonsense'"));
  EXPECT_THAT(D::Events(driver.log, event::kSteered), IsEmpty());
  driver.FinishEvaluation();
  EXPECT_EQ(driver.plan.round, 2u);
  EXPECT_EQ(driver.plan.change, StrategyChange());
}

TEST(SchedulerSteering, ASelectorThatCannotSelectGivesWay) {
  auto hook = std::make_shared<Decisions>();
  hook->on_evaluation[1].selector = PartSpec{"count", {{"count", 4}}};
  Stopped driver({}, D::DefaultConfig(), true, hook);
  driver.Begin();
  driver.FinishRound();
  driver.Tell(scheduler::NodeLost{"w1", "cut"});
  driver.FinishEvaluation();
  EXPECT_EQ(driver.core.state(), State::kTraining);
  EXPECT_EQ(driver.plan.participants, Roster::Of({0, 2, 3}));
  EXPECT_THAT(D::Events(driver.last, event::kSteeringRefused), SizeIs(1));
}

}  // namespace
}  // namespace skein
