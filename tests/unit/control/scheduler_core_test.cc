#include "skein/control/scheduler_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/control/scheduler_driver.h"

namespace skein {
namespace {

using scheduler::State;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using D = SchedulerDriver;

std::vector<std::string> Ids(const std::vector<std::pair<NodeId, StopMsg>>& sent) {
  std::vector<std::string> ids;
  for (const auto& [node, message] : sent) ids.push_back(node);
  return ids;
}

TEST(SchedulerCoreTest, CompletesARunOfThreeRounds) {
  D driver("tree:2x2");
  driver.Begin();
  for (uint64_t round = 1; round <= 3; ++round) {
    ASSERT_EQ(driver.core.state(), State::kTraining);
    EXPECT_EQ(driver.plan.round, round);
    EXPECT_EQ(driver.plan.base.version, round - 1);
    EXPECT_EQ(driver.plan.participants, Roster::Range(0, 4));
    driver.FinishRound();
    driver.FinishEvaluation();
  }
  EXPECT_EQ(driver.core.state(), State::kStopping);
  EXPECT_THAT(Ids(D::Sent<StopMsg>(driver.last)), SizeIs(7));
  EXPECT_EQ(D::Sent<StopMsg>(driver.last)[0].second.code, 0);
  driver.GoodbyeAll();
  const auto finish = D::Of<scheduler::Finish>(driver.log);
  ASSERT_THAT(finish, SizeIs(1));
  EXPECT_EQ(finish[0].status, "completed");
  EXPECT_EQ(finish[0].rounds, 3u);
  EXPECT_EQ(D::Of<scheduler::PersistRun>(driver.log).back().record.status, "completed");
}

TEST(SchedulerCoreTest, AttachesAChildWhenBothEndsAreThere) {
  D driver("tree:1x1");
  driver.Tell(scheduler::RunStarted{});
  driver.Register("w0");
  EXPECT_THAT(D::Sent<AssignMsg>(driver.last), SizeIs(1));
  EXPECT_THAT(D::Sent<AttachMsg>(driver.last), SizeIs(0));
  driver.Register("a0", 77);
  const auto attach = D::Sent<AttachMsg>(driver.last);
  ASSERT_THAT(attach, SizeIs(1));
  EXPECT_EQ(attach[0].first, "w0");
  EXPECT_EQ(attach[0].second.parent, "a0");
  EXPECT_EQ(attach[0].second.address, "at-a0");
  EXPECT_EQ(attach[0].second.epoch, 1u);
  const auto expect = D::Sent<ExpectChildMsg>(driver.last);
  ASSERT_THAT(expect, SizeIs(1));
  EXPECT_EQ(expect[0].first, "a0");
  EXPECT_EQ(expect[0].second.epoch, 1u);
  driver.Register("root");
  const auto records = D::Of<scheduler::PersistAttachment>(driver.last);
  ASSERT_THAT(records, SizeIs(2));  // the root's own, which fences its earlier lives, and a0's
  EXPECT_EQ(records[0].record.child, "root");
  EXPECT_EQ(records[0].record.parent, "");
  EXPECT_EQ(records[1].record.child, "a0");
  EXPECT_EQ(records[1].record.incarnation, 77u);
}

TEST(SchedulerCoreTest, StartsOnlyWhenAllAreAttachedAndTheModelIsReady) {
  D driver("flat:2");
  driver.RegisterAll();
  driver.ModelReady();
  driver.Attach("w0");
  EXPECT_EQ(driver.core.state(), State::kGathering);
  driver.Attach("w1");
  EXPECT_EQ(driver.core.state(), State::kTraining);
}

TEST(SchedulerCoreTest, StartTimeoutNamesFiveMissingNodesAndCountsTheRest) {
  D driver("flat:9");
  driver.Tell(scheduler::RunStarted{});
  driver.Register("root");
  driver.Register("w0");
  driver.Attach("w0");
  driver.Register("w1");
  driver.now = std::chrono::seconds(60);
  for (const char* node : {"root", "w0", "w1"}) driver.Tell(scheduler::NodeHeard{node});
  driver.now = std::chrono::seconds(119);
  driver.Tell(scheduler::Tick{});
  EXPECT_EQ(driver.core.state(), State::kGathering);
  driver.now = std::chrono::seconds(120);
  driver.Tell(scheduler::Tick{});
  EXPECT_EQ(driver.core.state(), State::kStopping);
  EXPECT_EQ(driver.Reason(),
            "the run did not start within 120 s: 8 of 10 nodes are missing: "
            "w1 (not attached to its parent), w2 (never registered), w3 (never registered), "
            "w4 (never registered), w5 (never registered) and 3 more");
}

TEST(SchedulerCoreTest, StartTimeoutSaysThatTheModelIsMissing) {
  RunConfig config = D::DefaultConfig();
  config.limits.heartbeat_timeout = std::chrono::seconds(500);
  D driver("flat:1", config);
  driver.RegisterAll();
  driver.Attach("w0");
  driver.now = std::chrono::seconds(120);
  driver.Tell(scheduler::Tick{});
  EXPECT_THAT(driver.Reason(), HasSubstr("no initial model"));
}

TEST(SchedulerCoreTest, ANodeLostBeforeTheStartMayComeBack) {
  D driver("flat:2");
  driver.RegisterAll();
  driver.Attach("w0");
  driver.Attach("w1");
  driver.Tell(scheduler::NodeLost{"w1", "cut"});
  driver.ModelReady();
  EXPECT_EQ(driver.core.state(), State::kGathering);
  driver.Register("w1", 2);
  EXPECT_EQ(driver.epochs["w1"], 2u);
  driver.Tell(scheduler::NodeAttached{"w1", 1});  // of its former life
  EXPECT_EQ(driver.core.state(), State::kGathering);
  driver.Attach("w1");
  EXPECT_EQ(driver.core.state(), State::kTraining);
}

TEST(SchedulerCoreTest, ALossDuringARoundIsToldToTheParentAndLeavesLaterRosters) {
  D driver("tree:2x2");
  driver.Begin();
  driver.Tell(scheduler::NodeLost{"w1", "its connection broke"});
  const auto lost = D::Sent<ChildLostMsg>(driver.last);
  ASSERT_THAT(lost, SizeIs(1));
  EXPECT_EQ(lost[0].first, "a0");
  EXPECT_EQ(lost[0].second.child, "w1");
  EXPECT_EQ(lost[0].second.epoch, 1u);
  const auto events = D::Events(driver.last, event::kNodeLost);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].node, "w1");
  EXPECT_EQ(events[0].round, 1u);
  EXPECT_EQ(events[0].fields.at("reason"), Value("its connection broke"));

  RoundResultMsg result = driver.Result();
  result.roster = Roster::Of({0, 2, 3});
  driver.Tell(scheduler::RoundResult{"root", result});
  driver.FinishEvaluation();
  EXPECT_EQ(driver.plan.participants, Roster::Of({0, 2, 3}));
}

TEST(SchedulerCoreTest, AParentThatComesBackHearsWhoIsLost) {
  D driver("tree:2x2");
  driver.Begin();
  driver.Tell(scheduler::NodeLost{"w1", "cut"});
  driver.Tell(scheduler::NodeLost{"a0", "its process died"});
  driver.Register("a0", 2);
  const auto lost = D::Sent<ChildLostMsg>(driver.last);
  ASSERT_THAT(lost, SizeIs(1));
  EXPECT_EQ(lost[0].second.child, "w1");
  EXPECT_EQ(lost[0].second.epoch, driver.epochs["w1"]);
  EXPECT_EQ(lost[0].second.reason, "cut");
  EXPECT_THAT(D::Sent<ExpectChildMsg>(driver.last), SizeIs(2)) << "itself and w0";
}

TEST(SchedulerCoreTest, ALostNodeThatComesBackTakesPartFromTheNextRound) {
  D driver("tree:2x2");
  driver.Begin();
  driver.Tell(scheduler::NodeLost{"w1", "cut"});
  driver.Register("w1", 2);
  driver.Attach("w1");
  EXPECT_EQ(driver.epochs["w1"], 2u);
  EXPECT_THAT(D::Sent<PlanMsg>(driver.last), SizeIs(0));
  driver.FinishRound();
  driver.FinishEvaluation();
  EXPECT_EQ(driver.plan.participants, Roster::Range(0, 4));
}

TEST(SchedulerCoreTest, ALostAggregatorTakesItsSubtreeWithItUntilReattached) {
  D driver("tree:2x2");
  driver.Begin();
  driver.Tell(scheduler::NodeLost{"a1", "cut"});
  driver.FinishRound();
  driver.FinishEvaluation();
  EXPECT_EQ(driver.plan.participants, Roster::Range(0, 2));

  driver.Register("a1", 2);
  std::vector<std::string> reattached;
  for (const auto& [node, message] : D::Sent<AttachMsg>(driver.last)) reattached.push_back(node);
  EXPECT_THAT(reattached, ElementsAre("a1", "w2", "w3"));
  for (const char* node : {"a1", "w2"}) driver.Attach(node);
  driver.FinishRound();
  driver.FinishEvaluation();
  EXPECT_EQ(driver.plan.participants, Roster::Range(0, 3));  // w3 is not welcomed yet
}

TEST(SchedulerCoreTest, FailsWhenNoWorkerIsLeftAndNamesTheLost) {
  D driver("flat:2");
  driver.Begin();
  driver.FinishRound();
  driver.Tell(scheduler::NodeLost{"w0", "cut"});
  driver.Tell(scheduler::NodeLost{"w1", "out of memory"});
  driver.FinishEvaluation();
  EXPECT_EQ(driver.core.state(), State::kStopping);
  EXPECT_EQ(driver.Reason(), "round 2: no worker is available; lost: w0 (cut), w1 (out of memory)");
}

TEST(SchedulerCoreTest, FailsWithTheSelectorsReasonAndTheLost) {
  D driver("flat:3", D::DefaultConfig(), {}, [](const SelectionInput& input) {
    if (input.available->Count() == 3) return absl::StatusOr<Roster>(*input.available);
    return absl::StatusOr<Roster>(absl::FailedPreconditionError("3 workers are needed"));
  });
  driver.Begin();
  driver.Tell(scheduler::NodeLost{"w2", "cut"});
  driver.FinishRound();
  driver.FinishEvaluation();
  EXPECT_EQ(driver.Reason(), "round 2: 3 workers are needed; lost: w2 (cut)");
}

TEST(SchedulerCoreTest, SilentNodesAreLostAfterTheTimeout) {
  D driver("flat:2");
  driver.Begin();
  for (int second = 15; second <= 75; second += 15) {
    driver.now = std::chrono::seconds(second);
    for (const char* node : {"root", "w0"}) driver.Tell(scheduler::NodeHeard{node});
    driver.Tell(scheduler::Tick{});
    const auto wakes = D::Of<scheduler::WakeAt>(driver.last);
    ASSERT_THAT(wakes, SizeIs(1));  // one sweep follows another
    EXPECT_EQ(wakes[0].when, driver.now + std::chrono::seconds(15));
  }
  const auto lost = D::Events(driver.log, event::kNodeLost);
  ASSERT_THAT(lost, SizeIs(1));
  EXPECT_EQ(lost[0].node, "w1");
  EXPECT_EQ(lost[0].fields.at("reason"), Value("silent for more than 60 s"));
  EXPECT_THAT(D::Of<scheduler::Disconnect>(driver.log), SizeIs(1));
}

TEST(SchedulerCoreTest, RefusesWhoMayNotJoin) {
  D driver("tree:2x2");
  driver.RegisterAll();
  const auto refusal = [&](RegisterMsg message) {
    driver.Tell(scheduler::NodeRegistered{99, std::move(message)});
    const auto refused = D::Of<scheduler::Refuse>(driver.last);
    EXPECT_THAT(driver.last, SizeIs(1));
    return refused.empty() ? absl::OkStatus() : refused[0].status;
  };
  const absl::Status unknown = refusal({"w33", 1});
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(unknown), HasSubstr("did you mean 'w3'"));
  EXPECT_EQ(refusal({"w0", 2}).code(), absl::StatusCode::kAlreadyExists);
  driver.Tell(scheduler::NodeLost{"a0", "cut"});
  EXPECT_EQ(refusal({"a0", 1, "x"}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refusal({"a0", 2, ""}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      Message(refusal({"a0", 2, "", 0, NodeRole::kWorker})),
      "node 'a0' is started as worker and the topology has it as aggregator: start it in that "
      "role");
  driver.Tell(scheduler::StopRequested{"enough"});
  EXPECT_EQ(refusal({"a0", 2, "x"}).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(SchedulerCoreTest, EvaluatesEveryKRoundsAndTheLast) {
  RunConfig config = D::DefaultConfig();
  config.rounds = 5;
  config.evaluate = {true, true, 2};
  D driver("flat:2", config);
  driver.Begin();
  std::vector<uint64_t> evaluated;
  for (uint64_t round = 1; round <= 5; ++round) {
    driver.FinishRound();
    const auto commit = D::Sent<CommitMsg>(driver.last);
    ASSERT_THAT(commit, SizeIs(1));
    EXPECT_EQ(commit[0].second.evaluate_at_coordinator, commit[0].second.evaluate_at_workers);
    EXPECT_EQ(commit[0].second.participants, Roster::Range(0, 2));
    if (!commit[0].second.evaluate_at_coordinator) continue;
    evaluated.push_back(round);
    driver.FinishEvaluation("workers");
    EXPECT_EQ(driver.core.state(), State::kEvaluating);  // the other place is awaited
    driver.FinishEvaluation("workers");                  // a duplicate changes nothing
    EXPECT_EQ(driver.core.state(), State::kEvaluating);
    driver.FinishEvaluation("coordinator");
  }
  EXPECT_THAT(evaluated, ElementsAre(2, 4, 5));
  EXPECT_EQ(driver.core.state(), State::kStopping);
}

TEST(SchedulerCoreTest, EventsHaveTheFieldsOfTheContract) {
  D driver("flat:2");
  driver.Begin();
  driver.now = std::chrono::seconds(3);
  driver.FinishRound();
  driver.FinishEvaluation();
  const auto opened = D::Events(driver.log, event::kRoundOpened);
  ASSERT_THAT(opened, SizeIs(2));
  EXPECT_EQ(ToJson(opened[1].fields), R"({"attempt":0,"base":1,"participants":2,"roster":"0-1"})");
  const auto committed = D::Events(driver.log, event::kRoundCommitted);
  ASSERT_THAT(committed, SizeIs(1));
  EXPECT_EQ(committed[0].node, "root");
  EXPECT_EQ(ToJson(committed[0].fields),
            R"({"contributors":2,"digest":"d1","metrics":{},"roster":"0-1","samples":10,)"
            R"("version":1,"wall_s":3})");
  const auto evaluated = D::Events(driver.log, event::kEvaluated);
  ASSERT_THAT(evaluated, SizeIs(1));
  EXPECT_EQ(ToJson(evaluated[0].fields),
            R"({"accuracy":0.75,"loss":0.5,"metrics":{"accuracy":0.75,"loss":0.5},)"
            R"("samples":100,"where":"coordinator"})");
}

TEST(SchedulerCoreTest, StoppingARoundRecordsItAsFailed) {
  D driver("flat:2");
  driver.Begin();
  driver.Tell(scheduler::StopRequested{"the user wants it"});
  const auto rounds = D::Of<scheduler::PersistRound>(driver.last);
  ASSERT_THAT(rounds, SizeIs(1));
  EXPECT_EQ(rounds[0].record.state, "failed");
  EXPECT_EQ(rounds[0].record.reason, "the user wants it");
  EXPECT_THAT(Ids(D::Sent<StopMsg>(driver.last)), ElementsAre("root", "w0", "w1"));
  driver.GoodbyeAll(1);
  EXPECT_EQ(D::Of<scheduler::Finish>(driver.log).back().status, "stopped");
}

TEST(SchedulerCoreTest, ACoordinatorThatCannotFinishFailsACompletedRun) {
  RunConfig config = D::DefaultConfig();
  config.rounds = 1;
  config.evaluate = {false, false, 1};
  D driver("flat:1", config);
  driver.Begin();
  driver.FinishRound();
  driver.Tell(scheduler::NodeGoodbye{"root", {14, "disk is full"}});
  EXPECT_THAT(D::Of<scheduler::PersistRun>(driver.last), SizeIs(1));
  driver.Tell(scheduler::NodeGoodbye{"w0", {}});
  const auto finish = D::Of<scheduler::Finish>(driver.log);
  ASSERT_THAT(finish, SizeIs(1));
  EXPECT_EQ(finish[0].status, "failed");
  EXPECT_EQ(finish[0].reason, "coordinator 'root': disk is full");
}

TEST(SchedulerCoreTest, ALostCommitDoesNotCount) {
  D driver("flat:1");
  driver.Begin();
  driver.FinishRound();
  driver.Tell(scheduler::StoreFailed{absl::ResourceExhaustedError("disk is full"), true});
  EXPECT_THAT(D::Of<scheduler::PersistRun>(driver.last), SizeIs(0));
  EXPECT_THAT(Ids(D::Sent<StopMsg>(driver.last)), ElementsAre("root", "w0"));
  driver.GoodbyeAll();
  const auto finish = D::Of<scheduler::Finish>(driver.log);
  ASSERT_THAT(finish, SizeIs(1));
  EXPECT_EQ(finish[0].status, "failed");
  EXPECT_EQ(finish[0].reason, "the run store failed: disk is full");
  EXPECT_EQ(finish[0].rounds, 0u);
}

TEST(SchedulerCoreTest, ANewLifeOfTheRunUsesNoIdentityTwice) {
  RoundRecord committed;
  committed.round = 1;
  committed.state = "committed";
  committed.version = {1, 0, 0};
  committed.seq_first = 1;
  RoundRecord open;
  open.round = 2;
  open.attempt = 3;
  open.state = "open";
  open.seq_first = 2;
  open.seq_count = 4;
  D driver("flat:2", D::DefaultConfig(),
           {{{"w0", "root", 4, 1}, {"w0", "root", 2, 1}, {"root", "", 9, 1}}, {committed, open}});
  driver.RegisterAll();
  EXPECT_EQ(driver.epochs["w0"], 5u);
  EXPECT_EQ(driver.epochs["w1"], 1u);
  EXPECT_EQ(D::Of<scheduler::PersistAttachment>(driver.log)[0].record.epoch, 10u);
  driver.Attach("w0");
  driver.Attach("w1");
  driver.Tell(scheduler::ModelReady{"root", {{1, 0, 0}, "d1"}});
  EXPECT_EQ(driver.plan.round, 2u);
  EXPECT_EQ(driver.plan.attempt, 4u);
  EXPECT_EQ(driver.plan.seq_first, 6u);
}

TEST(SchedulerCoreTest, SeqCountIsTheProductOfTheKappasBelowTheRoot) {
  StrategySpec strategy;
  strategy.tiers = {{0, {}, {}, 1}, {1, {}, {}, 3}, {2, {}, {}, 5}};
  EXPECT_EQ(SeqCountOf(strategy, 4).value(), 15u);
  EXPECT_EQ(SeqCountOf(strategy, 3).value(), 3u);
  EXPECT_EQ(SeqCountOf(strategy, 2).value(), 1u);
  strategy.tiers[1].kappa = 1 << 20;
  strategy.tiers[2].kappa = 1 << 20;
  EXPECT_FALSE(SeqCountOf(strategy, 4).ok());
}

}  // namespace
}  // namespace skein
