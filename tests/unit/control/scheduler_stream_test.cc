// Runs whose root has no barrier: one plan, versions as the coordinator makes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/control/scheduler_driver.h"

namespace skein {
namespace {

using scheduler::State;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using D = SchedulerDriver;

class SchedulerStream : public D {
 public:
  explicit SchedulerStream(SchedulerHistory history = {})
      : D("flat:4", DefaultConfig(), std::move(history), SelectAll(), /*barriers=*/false) {}

  void MakeVersion(uint64_t version, bool evaluating = false) {
    RoundResultMsg result{version, plan.attempt};
    result.version = {version, plan.attempt, 0};
    result.roster = Roster::Of({1, 3});
    result.bases = {{version - 1, 2}, {version, 3}};
    result.evaluating = evaluating;
    Tell(scheduler::RoundResult{"root", result});
  }
  void Evaluate(uint64_t version, int code = 0) {
    EvaluatedMsg result{version, {version, plan.attempt, 0}, "coordinator", code, "no"};
    Tell(scheduler::Evaluated{"root", result});
  }
};

TEST(SchedulerStream, OnePlanServesUntilTheLastVersion) {
  SchedulerStream driver;
  driver.Begin();
  EXPECT_EQ(driver.plan.last_version, 3u);
  EXPECT_EQ(driver.plan.round, 1u);
  for (uint64_t version = 1; version <= 3; ++version) {
    ASSERT_EQ(driver.core.state(), State::kTraining);
    driver.MakeVersion(version);
    const auto events = D::Events(driver.last, event::kVersionCommitted);
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].round, version);
    EXPECT_EQ(*events[0].fields.at("updates").AsInt(), 5);
    EXPECT_THAT(*events[0].fields.at("bases").AsList(), SizeIs(2));
    const auto persisted = D::Of<scheduler::PersistRound>(driver.last);
    ASSERT_THAT(persisted, SizeIs(1));
    EXPECT_EQ(persisted[0].record.state, "committed");
    EXPECT_EQ(persisted[0].record.round, version);
  }
  EXPECT_THAT(D::Sent<PlanMsg>(driver.log), SizeIs(1));
  EXPECT_THAT(D::Sent<CommitMsg>(driver.log), IsEmpty());
  EXPECT_EQ(driver.core.state(), State::kStopping);
  driver.GoodbyeAll();
  EXPECT_EQ(D::Of<scheduler::Finish>(driver.log).at(0).status, "completed");
  EXPECT_EQ(D::Of<scheduler::Finish>(driver.log)[0].rounds, 3u);
}

TEST(SchedulerStream, EvaluationsComeWhenTheyAreDoneAndTheEndWaitsForThem) {
  SchedulerStream driver;
  driver.Begin();
  driver.MakeVersion(1, /*evaluating=*/true);
  driver.MakeVersion(2);
  driver.Evaluate(1);
  EXPECT_THAT(D::Events(driver.last, event::kEvaluated), SizeIs(1));
  driver.Evaluate(1);
  driver.Evaluate(2);
  EXPECT_THAT(driver.last, IsEmpty()) << "nobody waits for these";
  driver.MakeVersion(3, /*evaluating=*/true);
  EXPECT_EQ(driver.core.state(), State::kEvaluating);
  driver.Evaluate(3);
  EXPECT_EQ(driver.core.state(), State::kStopping);
}

TEST(SchedulerStream, AnEvaluationThatFailsEndsTheRun) {
  SchedulerStream driver;
  driver.Begin();
  driver.MakeVersion(1, /*evaluating=*/true);
  driver.Evaluate(1, 13);
  EXPECT_EQ(driver.core.state(), State::kStopping);
  EXPECT_THAT(driver.Reason(), ::testing::HasSubstr("round 1: evaluation (coordinator): no"));
}

TEST(SchedulerStream, AVersionOutOfOrderIsNotCommitted) {
  SchedulerStream driver;
  driver.Begin();
  driver.MakeVersion(2);
  EXPECT_THAT(driver.last, IsEmpty());
  EXPECT_EQ(driver.core.state(), State::kTraining);
}

TEST(SchedulerStream, EachLifeHasItsOwnSequenceNumbers) {
  RoundRecord earlier;
  earlier.round = 1;
  earlier.state = "failed";
  earlier.seq_first = 1;
  SchedulerHistory history;
  history.rounds = {earlier};
  SchedulerStream driver(std::move(history));
  driver.Begin();
  EXPECT_EQ(driver.plan.seq_first, (Seq{1} << 40) + 1);
}

}  // namespace
}  // namespace skein
