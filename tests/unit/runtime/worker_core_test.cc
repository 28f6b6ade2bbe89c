#include "runtime/worker_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skein {
namespace {

using Phase = WorkerCore::Phase;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Task TaskOf(uint64_t round, TaskKind kind = TaskKind::kTrain) {
  Task task;
  task.kind = kind;
  task.round = round;
  task.base = {round - 1, 0, 0};
  task.seq_first = 10 * round;
  return task;
}

class WorkerCoreTest : public ::testing::Test {
 protected:
  void Tell(const WorkerEvent& event) { last_ = core_.Handle(event, now_); }
  template <typename Action>
  std::vector<Action> Of() const {
    std::vector<Action> found;
    for (const WorkerAction& action : last_) {
      if (const auto* a = std::get_if<Action>(&action)) found.push_back(*a);
    }
    return found;
  }
  template <typename Action>
  bool Has() const {
    return !Of<Action>().empty();
  }
  // Model and task are here; the learner runs. Returns the number of the start.
  uint64_t Begin(const Task& task) {
    Tell(worker_event::ModelArrived{task.base});
    Tell(worker_event::TaskArrived{task});
    const auto started = Of<worker_action::StartWork>();
    EXPECT_THAT(started, SizeIs(1));
    return started.empty() ? 0 : started[0].start;
  }
  void End(uint64_t start, const absl::Status& status = absl::OkStatus()) {
    Tell(worker_event::WorkEnded{start, status});
  }

  WorkerCore core_{seconds(5)};
  Time now_{0};
  std::vector<WorkerAction> last_;
};

// ---- tasks ----

TEST_F(WorkerCoreTest, ATaskWhoseModelIsHereStarts) {
  Tell(worker_event::ModelArrived{{0, 0, 0}});
  Tell(worker_event::TaskArrived{TaskOf(1)});
  ASSERT_THAT(Of<worker_action::StartWork>(), SizeIs(1));
  EXPECT_EQ(Of<worker_action::StartWork>()[0].task.round, 1u);
  EXPECT_EQ(core_.phase(), Phase::kWorking);
}

TEST_F(WorkerCoreTest, ATaskWaitsForItsModel) {
  Tell(worker_event::TaskArrived{TaskOf(2)});
  EXPECT_EQ(core_.phase(), Phase::kAwaitingModel);
  Tell(worker_event::ModelArrived{{0, 0, 0}});
  EXPECT_THAT(last_, IsEmpty());
  Tell(worker_event::ModelArrived{{1, 0, 0}});
  EXPECT_TRUE(Has<worker_action::StartWork>());
}

TEST_F(WorkerCoreTest, AModelThatIsGoneIsAwaitedAgain) {
  Tell(worker_event::ModelArrived{{0, 0, 0}});
  Tell(worker_event::ModelGone{});
  Tell(worker_event::TaskArrived{TaskOf(1)});
  EXPECT_EQ(core_.phase(), Phase::kAwaitingModel);
  Tell(worker_event::ModelGone{});
  EXPECT_THAT(last_, IsEmpty());
  Tell(worker_event::ModelArrived{{0, 0, 0}});
  EXPECT_TRUE(Has<worker_action::StartWork>());
}

TEST_F(WorkerCoreTest, ATaskHeardTwiceIsDoneOnce) {
  Tell(worker_event::TaskArrived{TaskOf(1)});
  Tell(worker_event::TaskArrived{TaskOf(1)});
  EXPECT_THAT(last_, IsEmpty());
  Tell(worker_event::ModelArrived{{0, 0, 0}});
  ASSERT_TRUE(Has<worker_action::StartWork>());
  Tell(worker_event::TaskArrived{TaskOf(1)});
  EXPECT_THAT(last_, IsEmpty());
}

TEST_F(WorkerCoreTest, ANewerTaskReplacesTheAwaitedOne) {
  Tell(worker_event::TaskArrived{TaskOf(1)});
  Tell(worker_event::TaskArrived{TaskOf(2)});
  EXPECT_EQ(core_.phase(), Phase::kAwaitingModel);
  Tell(worker_event::ModelArrived{{0, 0, 0}});
  EXPECT_THAT(last_, IsEmpty());
  Tell(worker_event::ModelArrived{{1, 0, 0}});
  EXPECT_EQ(Of<worker_action::StartWork>().at(0).task.round, 2u);
}

TEST_F(WorkerCoreTest, ANewerTaskStopsTheRunningOneAndFollowsIt) {
  const uint64_t first = Begin(TaskOf(1));
  Tell(worker_event::ModelArrived{{1, 0, 0}});
  Tell(worker_event::TaskArrived{TaskOf(2)});
  EXPECT_TRUE(Has<worker_action::CancelWork>());
  EXPECT_EQ(core_.phase(), Phase::kStopping);
  End(first, absl::CancelledError("cancelled"));
  EXPECT_FALSE(Has<worker_action::SendFailed>()) << "nobody waits for it";
  ASSERT_TRUE(Has<worker_action::StartWork>());
  EXPECT_EQ(Of<worker_action::StartWork>()[0].task.round, 2u);
  EXPECT_NE(Of<worker_action::StartWork>()[0].start, first);
}

TEST_F(WorkerCoreTest, WhatANewerTaskInterruptedIsNotKept) {
  const uint64_t first = Begin(TaskOf(1));
  Tell(worker_event::TaskArrived{TaskOf(2)});
  End(first);  // it finished all the same
  EXPECT_FALSE(Has<worker_action::OfferUpdate>());
  EXPECT_THAT(Of<worker_action::DropUpdate>(), SizeIs(1));
  EXPECT_EQ(core_.kept(), 0u);
  EXPECT_EQ(core_.phase(), Phase::kAwaitingModel);
}

TEST_F(WorkerCoreTest, ACancelledTaskIsForgotten) {
  Tell(worker_event::TaskArrived{TaskOf(1)});
  Tell(worker_event::Cancelled{2, 0});
  EXPECT_EQ(core_.phase(), Phase::kAwaitingModel);
  Tell(worker_event::Cancelled{1, 0});
  EXPECT_EQ(core_.phase(), Phase::kIdle);
  const uint64_t start = Begin(TaskOf(2));
  Tell(worker_event::Cancelled{2, 1});
  EXPECT_EQ(core_.phase(), Phase::kWorking) << "another local round";
  Tell(worker_event::Cancelled{2, 0});
  EXPECT_TRUE(Has<worker_action::CancelWork>());
  End(start);
  EXPECT_EQ(core_.phase(), Phase::kIdle);
  EXPECT_FALSE(Has<worker_action::OfferUpdate>());
}

TEST_F(WorkerCoreTest, AQueuedTaskThatIsCancelledDoesNotFollow) {
  const uint64_t start = Begin(TaskOf(1));
  Tell(worker_event::ModelArrived{{1, 0, 0}});
  Tell(worker_event::TaskArrived{TaskOf(2)});
  Tell(worker_event::Cancelled{2, 0});
  End(start);
  EXPECT_FALSE(Has<worker_action::StartWork>());
  EXPECT_EQ(core_.phase(), Phase::kIdle);
}

TEST_F(WorkerCoreTest, ATaskThatComesBackWhileItIsStoppedRunsAgain) {
  const uint64_t start = Begin(TaskOf(1));
  Tell(worker_event::Cancelled{1, 0});
  Tell(worker_event::TaskArrived{TaskOf(1)});
  End(start);
  ASSERT_THAT(Of<worker_action::StartWork>(), SizeIs(1));
  EXPECT_EQ(Of<worker_action::StartWork>()[0].task.round, 1u);
}

TEST_F(WorkerCoreTest, FurtherTasksDoNotExtendTheGrace) {
  Begin(TaskOf(1));
  Tell(worker_event::TaskArrived{TaskOf(2)});
  now_ = seconds(4);
  Tell(worker_event::TaskArrived{TaskOf(3)});
  now_ = seconds(5);
  Tell(worker_event::Tick{});
  EXPECT_EQ(core_.phase(), Phase::kStuck);
}

TEST_F(WorkerCoreTest, ALearnerThatIgnoresCancellationIsAbandoned) {
  const uint64_t start = Begin(TaskOf(1));
  now_ = seconds(100);
  Tell(worker_event::TaskArrived{TaskOf(2)});
  EXPECT_EQ(Of<worker_action::WakeAt>().at(0).when, seconds(105));
  now_ = seconds(104);
  Tell(worker_event::Tick{});
  EXPECT_EQ(core_.phase(), Phase::kStopping);
  now_ = seconds(105);
  Tell(worker_event::Tick{});
  EXPECT_EQ(core_.phase(), Phase::kStuck);
  EXPECT_TRUE(Has<worker_action::AbandonWork>());
  ASSERT_THAT(Of<worker_action::SendFailed>(), SizeIs(1));
  EXPECT_EQ(Of<worker_action::SendFailed>()[0].what.round, 2u);
  EXPECT_THAT(Of<worker_action::SendFailed>()[0].what.reason, HasSubstr("cancelled in round 1"));
  End(start);
  EXPECT_THAT(last_, IsEmpty());
  Tell(worker_event::TaskArrived{TaskOf(3)});
  ASSERT_THAT(Of<worker_action::SendFailed>(), SizeIs(1)) << "every later task is declined";
  EXPECT_EQ(Of<worker_action::SendFailed>()[0].what.round, 3u);
}

// ---- results ----

TEST_F(WorkerCoreTest, ATrainedUpdateIsOfferedAndKept) {
  End(Begin(TaskOf(1)));
  ASSERT_THAT(Of<worker_action::OfferUpdate>(), SizeIs(1));
  EXPECT_EQ(Of<worker_action::OfferUpdate>()[0].seq, 10u);
  EXPECT_EQ(core_.kept(), 1u);
  Tell(worker_event::UpdateAnswered{10, absl::OkStatus()});
  EXPECT_EQ(core_.kept(), 1u) << "until the round is committed";
  EXPECT_THAT(core_.answered(), ElementsAre(10));
  Tell(worker_event::Committed{1});
  ASSERT_THAT(Of<worker_action::DropUpdate>(), SizeIs(1));
  EXPECT_TRUE(Of<worker_action::DropUpdate>()[0].counts);
  EXPECT_EQ(core_.kept(), 0u);
}

// Its answer was lost with a link, and the round is over before it has offered again.
TEST_F(WorkerCoreTest, AnAnswerThatComesAfterTheCommitCounts) {
  End(Begin(TaskOf(1)));
  Tell(worker_event::Committed{1});
  Tell(worker_event::LinkUp{});
  EXPECT_TRUE(Has<worker_action::OfferUpdate>());
  Tell(worker_event::UpdateAnswered{10, absl::OkStatus()});
  ASSERT_THAT(Of<worker_action::DropUpdate>(), SizeIs(1));
  EXPECT_TRUE(Of<worker_action::DropUpdate>()[0].counts);
  EXPECT_EQ(core_.kept(), 0u);
}

TEST_F(WorkerCoreTest, AnUpdateThatTheParentDoesNotHaveDoesNotCount) {
  End(Begin(TaskOf(1)));
  EXPECT_THAT(core_.answered(), IsEmpty());
  Tell(worker_event::Committed{1});
  EXPECT_FALSE(Has<worker_action::DropUpdate>()) << "the answer may be on its way";
  Tell(worker_event::UpdateAnswered{10, absl::FailedPreconditionError("round 1 is closed")});
  ASSERT_THAT(Of<worker_action::DropUpdate>(), SizeIs(1));
  EXPECT_FALSE(Of<worker_action::DropUpdate>()[0].counts) << "the round closed without it";
  EXPECT_EQ(core_.kept(), 0u);
  End(Begin(TaskOf(2)));
  const Seq seq = Of<worker_action::OfferUpdate>().at(0).seq;
  Tell(worker_event::UpdateAnswered{seq, absl::OkStatus()});
  Tell(worker_event::Cancelled{2, 0});
  ASSERT_THAT(Of<worker_action::DropUpdate>(), SizeIs(1));
  EXPECT_FALSE(Of<worker_action::DropUpdate>()[0].counts) << "the parent was left out with it";
}

TEST_F(WorkerCoreTest, AnotherAttemptAtTheRoundVoidsTheUpdate) {
  End(Begin(TaskOf(1)));
  Tell(worker_event::UpdateAnswered{10, absl::OkStatus()});
  Task again = TaskOf(1);
  again.attempt = 1;
  again.seq_first = 11;
  Tell(worker_event::TaskArrived{again});
  ASSERT_THAT(Of<worker_action::DropUpdate>(), SizeIs(1));
  EXPECT_EQ(Of<worker_action::DropUpdate>()[0].seq, 10u);
  EXPECT_FALSE(Of<worker_action::DropUpdate>()[0].counts);
  EXPECT_TRUE(Has<worker_action::StartWork>());
}

TEST_F(WorkerCoreTest, AnUnansweredUpdateIsOfferedOnEveryNewLink) {
  End(Begin(TaskOf(1)));
  Tell(worker_event::LinkUp{});
  EXPECT_THAT(Of<worker_action::OfferUpdate>(), SizeIs(1));
  Tell(worker_event::TaskArrived{TaskOf(1)});
  EXPECT_THAT(last_, IsEmpty()) << "its offer is on this link";
  Tell(worker_event::UpdateAnswered{10, absl::OkStatus()});
  Tell(worker_event::LinkUp{});
  EXPECT_THAT(last_, IsEmpty());
}

TEST_F(WorkerCoreTest, AParentThatHasForgottenGetsTheUpdateAgainWithoutTraining) {
  End(Begin(TaskOf(1)));
  Tell(worker_event::UpdateAnswered{10, absl::OkStatus()});
  Tell(worker_event::TaskArrived{TaskOf(1)});
  EXPECT_THAT(Of<worker_action::OfferUpdate>(), SizeIs(1));
  EXPECT_FALSE(Has<worker_action::StartWork>());
  Tell(worker_event::TaskArrived{TaskOf(1)});
  EXPECT_THAT(last_, IsEmpty()) << "its offer is on this link";
}

TEST_F(WorkerCoreTest, ARefusedUpdateIsDropped) {
  End(Begin(TaskOf(1)));
  Tell(worker_event::UpdateAnswered{99, absl::AbortedError("not ours")});
  EXPECT_EQ(core_.kept(), 1u);
  Tell(worker_event::UpdateAnswered{10, absl::FailedPreconditionError("closed")});
  EXPECT_THAT(Of<worker_action::DropUpdate>(), SizeIs(1));
  EXPECT_EQ(core_.kept(), 0u);
}

TEST_F(WorkerCoreTest, ACancelledUpdateIsDropped) {
  Task second = TaskOf(1);
  second.local_round = 1;
  second.seq_first = 11;
  End(Begin(TaskOf(1)));
  End(Begin(second));
  Tell(worker_event::Cancelled{1, 1});
  ASSERT_THAT(Of<worker_action::DropUpdate>(), SizeIs(1));
  EXPECT_EQ(Of<worker_action::DropUpdate>()[0].seq, 11u);
  EXPECT_EQ(core_.kept(), 1u) << "the other local round stands";
}

TEST_F(WorkerCoreTest, TwoUpdatesAreKeptAtMost) {
  for (uint64_t round = 1; round <= 3; ++round) End(Begin(TaskOf(round)));
  EXPECT_EQ(core_.kept(), 2u);
  ASSERT_THAT(Of<worker_action::DropUpdate>(), SizeIs(1));
  EXPECT_EQ(Of<worker_action::DropUpdate>()[0].seq, 10u);
  Tell(worker_event::UpdateAnswered{20, absl::OkStatus()});
  Tell(worker_event::Committed{2});
  EXPECT_EQ(core_.kept(), 1u) << "round 3 is not committed";
}

TEST_F(WorkerCoreTest, AFailureIsReportedWithItsKind) {
  End(Begin(TaskOf(1)), absl::InternalError("out of memory"));
  ASSERT_THAT(Of<worker_action::SendFailed>(), SizeIs(1));
  EXPECT_EQ(Of<worker_action::SendFailed>()[0].what.reason, "out of memory");
  EXPECT_FALSE(Of<worker_action::SendFailed>()[0].what.bad_update);
  End(Begin(TaskOf(2)), absl::InvalidArgumentError("another shape"));
  EXPECT_TRUE(Of<worker_action::SendFailed>().at(0).what.bad_update);
  End(Begin(TaskOf(2, TaskKind::kEvaluate)), absl::InvalidArgumentError("no data"));
  EXPECT_FALSE(Of<worker_action::SendFailed>().at(0).what.bad_update);
  EXPECT_EQ(core_.kept(), 0u);
}

// It may have been encoding that failed, after the learner's state was staged.
TEST_F(WorkerCoreTest, WhatAFailedTrainingHasStagedIsForgotten) {
  End(Begin(TaskOf(1)), absl::InvalidArgumentError("beyond what bf16 takes"));
  ASSERT_THAT(Of<worker_action::DropUpdate>(), SizeIs(1));
  EXPECT_EQ(Of<worker_action::DropUpdate>()[0].seq, 10u);
  EXPECT_FALSE(Of<worker_action::DropUpdate>()[0].counts);
  End(Begin(TaskOf(2, TaskKind::kEvaluate)), absl::InternalError("no data"));
  EXPECT_FALSE(Has<worker_action::DropUpdate>());
}

TEST_F(WorkerCoreTest, AnEvaluationIsSentAndNotKept) {
  End(Begin(TaskOf(1, TaskKind::kEvaluate)));
  EXPECT_THAT(Of<worker_action::SendEvaluation>(), SizeIs(1));
  EXPECT_EQ(core_.kept(), 0u);
}

TEST_F(WorkerCoreTest, AnEvaluationIsNotTakenForAKeptUpdate) {
  End(Begin(TaskOf(1)));
  Tell(worker_event::TaskArrived{TaskOf(1, TaskKind::kEvaluate)});
  EXPECT_TRUE(Has<worker_action::StartWork>());
  EXPECT_FALSE(Has<worker_action::OfferUpdate>());
}

TEST_F(WorkerCoreTest, AnEvaluationMayFollowTheTrainingOfItsRound) {
  End(Begin(TaskOf(1)));
  Task evaluate = TaskOf(1, TaskKind::kEvaluate);
  evaluate.base = {1, 0, 0};
  evaluate.seq_first = 0;
  Tell(worker_event::Committed{1});
  Begin(evaluate);
}

TEST_F(WorkerCoreTest, AnEndHeardTwiceIsIgnored) {
  const uint64_t start = Begin(TaskOf(1));
  End(start);
  End(start);
  EXPECT_THAT(last_, IsEmpty());
  Tell(worker_event::TaskArrived{TaskOf(3)});
  End(start);
  EXPECT_THAT(last_, IsEmpty());
  EXPECT_EQ(core_.phase(), Phase::kAwaitingModel);
}

TEST_F(WorkerCoreTest, TheEndOfAnAbandonedStartIsIgnored) {
  const uint64_t start = Begin(TaskOf(1));
  End(start + 1);
  EXPECT_EQ(core_.phase(), Phase::kWorking);
  EXPECT_THAT(last_, IsEmpty());
}

}  // namespace
}  // namespace skein
