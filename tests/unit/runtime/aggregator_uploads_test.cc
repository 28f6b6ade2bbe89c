// Whose upload counts, what becomes of one that breaks, and who may send when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/aggregator_driver.h"

namespace skein {
namespace {

using Phase = BarrierCore::Phase;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AggregatorUploadsTest : public ::testing::Test {
 protected:
  AggregatorUploadsTest() { driver_.Open(); }

  absl::Status Answer() const {
    const auto answers = driver_.Of<agg_action::Acknowledge>();
    EXPECT_THAT(answers, SizeIs(1));
    return answers.empty() ? absl::UnknownError("none") : answers[0].status;
  }
  // The upload is refused for what it is, and its child has failed.
  void ExpectRejected(const UploadInfo& info, const std::string& why) {
    SCOPED_TRACE(why);
    AggregatorDriver driver(ConfigOf(PolicyOf("quorum", {{"count", 1}, {"deadline_s", 10.0}})));
    driver.Open();
    driver.Tell(agg_event::UploadOffered{info});
    ASSERT_THAT(driver.Of<agg_action::Acknowledge>(), SizeIs(1));
    EXPECT_THAT(std::string(driver.Of<agg_action::Acknowledge>()[0].status.message()),
                HasSubstr(why));
    EXPECT_THAT(driver.Reported(), ElementsAre("update_rejected " + info.id.child));
    EXPECT_FALSE(driver.Has<agg_action::Grant>());
  }

  AggregatorDriver driver_{ConfigOf(PolicyOf("quorum", {{"count", 2}, {"deadline_s", 10.0}}))};
};

// ---- what counts ----

TEST_F(AggregatorUploadsTest, AGoodUploadIsGrantedFoldedAndCounted) {
  const UploadInfo info = driver_.UploadOf("c0");
  driver_.Tell(agg_event::UploadOffered{info});
  EXPECT_THAT(driver_.Of<agg_action::Grant>(), SizeIs(1));
  driver_.Tell(agg_event::UploadProgressed{info.id});
  driver_.Tell(agg_event::UploadStaged{info.id});
  ASSERT_THAT(driver_.Of<agg_action::Fold>(), SizeIs(1));
  EXPECT_EQ(driver_.Of<agg_action::Fold>()[0].info.roster, Roster::Of({4}));
  driver_.Tell(agg_event::UploadFolded{info.id, absl::OkStatus()});
  EXPECT_TRUE(Answer().ok());
  EXPECT_THAT(driver_.Reported(), ElementsAre("update_accepted c0"));
  EXPECT_EQ(driver_.core.staged_bytes(), 0u);
}

TEST_F(AggregatorUploadsTest, ARepeatedUploadIsAcknowledgedAndCountsOnce) {
  driver_.Contribute("c0");
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c0", TrainTask(), 2)});
  EXPECT_TRUE(Answer().ok());
  EXPECT_FALSE(driver_.Has<agg_action::Grant>());
  EXPECT_THAT(driver_.Reported(), IsEmpty());
  driver_.Contribute("c1");
  driver_.Contribute("c2");
  EXPECT_EQ(driver_.Of<agg_action::CloseFold>().at(0).roster, Roster::Range(4, 7));
}

TEST_F(AggregatorUploadsTest, ARepeatedUploadIsAcknowledgedWhileTheResultIsOnItsWay) {
  for (const char* child : {"c0", "c1", "c2"}) driver_.Contribute(child);
  ASSERT_EQ(driver_.core.phase(), Phase::kDelivering);
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c0", TrainTask(), 2)});
  EXPECT_TRUE(Answer().ok()) << "or the child would drop what the result needs";
}

TEST_F(AggregatorUploadsTest, AnUploadOfAnEarlierAttemptHarmsNobody) {
  Task again = TrainTask();
  again.attempt = 1;
  again.seq_first = 11;
  driver_.Tell(agg_event::TaskArrived{again});
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c0", TrainTask(), 1)});
  EXPECT_EQ(Answer().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(driver_.Reported(), IsEmpty());
  driver_.Contribute(driver_.UploadOf("c0", again, 2));
  EXPECT_THAT(driver_.Reported(), ElementsAre("update_accepted c0"));
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c0", TrainTask(), 3)});
  EXPECT_FALSE(Answer().ok()) << "another update than the one that was accepted";
}

TEST_F(AggregatorUploadsTest, AnUpdateThatComesDuringAnEvaluationIsLate) {
  AggregatorDriver driver(ConfigOf(PolicyOf("all")));
  driver.Open(EvaluateTask());
  driver.Tell(agg_event::ChildEvaluated{"c0", 1, {}, Roster::Of({4})});
  for (const char* child : {"c0", "c1"}) {
    driver.Tell(agg_event::UploadOffered{driver.UploadOf(child, EvaluateTask())});
    EXPECT_EQ(driver.Of<agg_action::Acknowledge>().at(0).status.code(),
              absl::StatusCode::kFailedPrecondition)
        << child;
  }
  EXPECT_EQ(driver.core.phase(), Phase::kCollecting);
}

TEST_F(AggregatorUploadsTest, ALateUploadIsRefusedAndHarmsNobody) {
  driver_.Contribute("c0");
  driver_.Contribute("c1");
  driver_.now = seconds(10);
  driver_.Tell(agg_event::Tick{});
  ASSERT_EQ(driver_.core.phase(), Phase::kDelivering);
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c2")});
  EXPECT_EQ(Answer().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(driver_.Reported(), IsEmpty());
  driver_.Tell(agg_event::Delivered{});
  driver_.Tell(agg_event::ModelArrived{{1, 0, 0}});
  driver_.Tell(agg_event::TaskArrived{TrainTask(2)});
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c2", TrainTask(1), 2)});
  EXPECT_EQ(Answer().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(driver_.Reported(), IsEmpty()) << "it may still send this round's";
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c2", TrainTask(2), 3)});
  EXPECT_TRUE(driver_.Has<agg_action::Grant>());
}

TEST_F(AggregatorUploadsTest, WhatDoesNotBelongToTheTaskIsRejected) {
  const UploadInfo good = driver_.UploadOf("c0");
  UploadInfo bad = good;
  bad.kind = TransferKind::kPartial;
  ExpectRejected(bad, "a worker sends updates");
  bad = good;
  bad.base.version = 7;
  ExpectRejected(bad, "it refers to v7, the task to v0");
  bad = good;
  bad.seq = 11;
  ExpectRejected(bad, "its sequence number is 11, the task's 10");
  bad = good;
  bad.roster = Roster::Of({5});
  ExpectRejected(bad, "its roster 5 is not within the task's 4");
  bad = good;
  bad.roster = {};
  ExpectRejected(bad, "is not within the task's");
  bad = good;
  bad.form = absl::InvalidArgumentError("tensor 'w' is missing");
  ExpectRejected(bad, "tensor 'w' is missing");
}

TEST_F(AggregatorUploadsTest, AnUploadUnderAVoidAttachmentIsRefused) {
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c0", TrainTask(), 1, 7)});
  EXPECT_EQ(Answer().code(), absl::StatusCode::kFailedPrecondition);
  driver_.Tell(agg_event::ChildDown{"c0", 1});
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c0")});
  EXPECT_EQ(Answer().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(AggregatorUploadsTest, APartialThatMeetsAnAcceptedRosterIsRefusedWhole) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf("all"), NodeRole::kAggregator);
  config.view.children[1].leaf_begin = 5;  // c0 has 4 and 5, c1 has 5, 6 and 7
  AggregatorDriver driver(config);
  driver.Open();
  driver.Contribute("c0");
  EXPECT_THAT(driver.Reported(), ElementsAre("partial_accepted c0"));
  driver.Tell(agg_event::UploadOffered{driver.UploadOf("c1")});
  EXPECT_EQ(driver.Of<agg_action::Acknowledge>().at(0).status.code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_FALSE(driver.Has<agg_action::Grant>());
}

TEST_F(AggregatorUploadsTest, APartialOfSomeWorkersIsWelcome) {
  AggregatorDriver driver(ConfigOf(PolicyOf("all"), NodeRole::kAggregator));
  driver.Open();
  UploadInfo some = driver.UploadOf("c1");
  some.roster = Roster::Of({7});
  driver.Contribute(some);
  driver.Contribute("c0");
  driver.Contribute("c2");
  EXPECT_EQ(driver.Of<agg_action::CloseFold>().at(0).roster, Roster::Of({4, 5, 7, 8, 9}));
}

// ---- what breaks ----

TEST_F(AggregatorUploadsTest, ABrokenLinkGivesCreditBackAndTheChildMayReturn) {
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c0")});
  EXPECT_EQ(driver_.core.staged_bytes(), 40u);
  driver_.Tell(agg_event::ChildDown{"c0", 1});
  EXPECT_EQ(driver_.core.staged_bytes(), 0u);
  EXPECT_THAT(driver_.Reported(), IsEmpty());
  driver_.Tell(agg_event::ChildUp{"c0", 1});
  driver_.Contribute(driver_.UploadOf("c0", TrainTask(), 2));
  EXPECT_THAT(driver_.Reported(), ElementsAre("update_accepted c0"));
}

TEST_F(AggregatorUploadsTest, AnUploadOfferedAgainReplacesTheFirst) {
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c0")});
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c0", TrainTask(), 2)});
  EXPECT_EQ(Answer().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(driver_.Of<agg_action::Acknowledge>()[0].id.transfer, 1u);
  EXPECT_EQ(driver_.core.staged_bytes(), 40u);
  driver_.Tell(agg_event::UploadStaged{{"c0", 1, 1}});
  EXPECT_FALSE(driver_.Has<agg_action::Fold>()) << "the first is forgotten";
}

TEST_F(AggregatorUploadsTest, AStrayOfferLeavesTheUploadUnderWayAlone) {
  const UploadInfo info = driver_.UploadOf("c0");
  driver_.Tell(agg_event::UploadOffered{info});
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c0", TrainTask(9), 2)});
  EXPECT_EQ(Answer().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(driver_.Of<agg_action::Acknowledge>()[0].id.transfer, 2u);
  EXPECT_EQ(driver_.core.staged_bytes(), 40u);
  driver_.Tell(agg_event::UploadStaged{info.id});
  EXPECT_TRUE(driver_.Has<agg_action::Fold>());
}

TEST_F(AggregatorUploadsTest, AFoldThatRefusesIsTheChildsFailure) {
  const UploadInfo info = driver_.UploadOf("c0");
  driver_.Tell(agg_event::UploadOffered{info});
  driver_.Tell(agg_event::UploadStaged{info.id});
  driver_.Tell(agg_event::UploadFolded{info.id, absl::InvalidArgumentError("NaN at index 3")});
  EXPECT_EQ(Answer().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(driver_.Reported(), ElementsAre("update_rejected c0"));
  EXPECT_EQ(driver_.ReasonOfReport(), "NaN at index 3");
  driver_.Contribute("c1");
  driver_.Contribute("c2");
  EXPECT_EQ(driver_.Of<agg_action::CloseFold>().at(0).roster, Roster::Of({5, 6}));
}

TEST_F(AggregatorUploadsTest, AnUploadThatEndsEarlyIsRejected) {
  const UploadInfo info = driver_.UploadOf("c0");
  driver_.Tell(agg_event::UploadOffered{info});
  driver_.Tell(agg_event::UploadBroken{info.id, "its upload ended early"});
  EXPECT_EQ(Answer().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(driver_.Reported(), ElementsAre("update_rejected c0"));
}

TEST_F(AggregatorUploadsTest, AChildThatGivesUpWithdrawsItsUpload) {
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c0")});
  driver_.Fail("c0", "no battery");
  EXPECT_EQ(Answer().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(driver_.core.staged_bytes(), 0u);
}

TEST_F(AggregatorUploadsTest, AStalledUploadIsGivenUp) {
  AggregatorDriver driver(ConfigOf(PolicyOf("quorum", {{"count", 2}, {"deadline_s", 99.0}})));
  driver.Open();
  const UploadInfo info = driver.UploadOf("c0");
  driver.Tell(agg_event::UploadOffered{info});
  EXPECT_EQ(driver.Of<agg_action::WakeAt>().at(0).when, seconds(30));
  driver.now = seconds(20);
  driver.Tell(agg_event::UploadProgressed{info.id});
  driver.now = seconds(30);
  driver.Tell(agg_event::Tick{});
  EXPECT_THAT(driver.Reported(), IsEmpty());
  EXPECT_EQ(driver.Of<agg_action::WakeAt>().at(0).when, seconds(50));
  driver.now = seconds(50);
  driver.Tell(agg_event::Tick{});
  EXPECT_THAT(driver.Reported(), ElementsAre("worker_left_out c0"));
  EXPECT_EQ(driver.ReasonOfReport(), "its upload made no progress for 30 s");
  EXPECT_EQ(driver.Of<agg_action::Acknowledge>().at(0).status.code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_F(AggregatorUploadsTest, SlowUploadsDoNotMultiplyWakeUps) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf("all", {{"timeout_s", 9000.0}}));
  config.staging_bytes = 1000;
  AggregatorDriver driver(config);
  driver.Open();
  for (const char* child : {"c0", "c1", "c2"}) {
    driver.Tell(agg_event::UploadOffered{driver.UploadOf(child)});
  }
  for (int second = 20; second <= 3600; second += 20) {
    driver.AdvanceTo(seconds(second));
    for (const char* child : {"c0", "c1", "c2"}) {
      driver.Tell(agg_event::UploadProgressed{driver.UploadOf(child).id});
    }
    ASSERT_LE(driver.timers.size(), 3u) << "second " << second;
  }
  driver.AdvanceTo(seconds(3629));
  EXPECT_EQ(driver.core.staged_bytes(), 120u) << "none has stalled";
  driver.AdvanceTo(seconds(3630));
  EXPECT_EQ(driver.core.staged_bytes(), 0u) << "30 s after the last progress";
  EXPECT_EQ(driver.core.phase(), Phase::kIdle);
}

TEST_F(AggregatorUploadsTest, RoundsDoNotLeaveWakeUpsBehind) {
  for (uint64_t round = 1; round <= 500; ++round) {
    const Task task = TrainTask(round);
    driver_.AdvanceTo(seconds(round));
    driver_.Tell(agg_event::ModelArrived{task.base});
    driver_.Tell(agg_event::TaskArrived{task});
    for (const char* child : {"c0", "c1"}) {
      driver_.Contribute(driver_.UploadOf(child, task, round));
    }
    driver_.Fail("c2", "no battery", task);
    ASSERT_EQ(driver_.core.phase(), Phase::kDelivering);
    driver_.Tell(agg_event::Delivered{});
    ASSERT_LE(driver_.timers.size(), 3u) << "round " << round;
  }
}

TEST_F(AggregatorUploadsTest, UploadsStillUnderWayAtTheCloseAreAborted) {
  driver_.Contribute("c0");
  driver_.Contribute("c1");
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c2")});
  driver_.now = seconds(10);
  driver_.Tell(agg_event::Tick{});
  EXPECT_EQ(Answer().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(driver_.core.staged_bytes(), 0u);
  ASSERT_TRUE(driver_.Has<agg_action::CloseFold>());
  driver_.Tell(agg_event::UploadStaged{driver_.UploadOf("c2").id});
  driver_.Tell(agg_event::UploadFolded{driver_.UploadOf("c2").id, absl::OkStatus()});
  EXPECT_THAT(driver_.last, IsEmpty());
}

// ---- credit ----

TEST_F(AggregatorUploadsTest, GrantedUploadsStayWithinTheBudget) {
  for (const char* child : {"c0", "c1", "c2"}) {
    driver_.Tell(agg_event::UploadOffered{driver_.UploadOf(child)});
    EXPECT_EQ(driver_.Has<agg_action::Grant>(), std::string(child) != "c2");
  }
  EXPECT_EQ(driver_.core.staged_bytes(), 80u);  // of 100, and each has 40
  driver_.Tell(agg_event::UploadStaged{driver_.UploadOf("c1").id});
  driver_.Tell(agg_event::UploadFolded{driver_.UploadOf("c1").id, absl::OkStatus()});
  ASSERT_THAT(driver_.Of<agg_action::Grant>(), SizeIs(1));
  EXPECT_EQ(driver_.Of<agg_action::Grant>()[0].id.child, "c2");
}

TEST_F(AggregatorUploadsTest, OneLargeUploadIsAlwaysAdmittedButAlone) {
  UploadInfo large = driver_.UploadOf("c0");
  large.bytes = 1000;
  driver_.Tell(agg_event::UploadOffered{large});
  EXPECT_TRUE(driver_.Has<agg_action::Grant>());
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c1")});
  EXPECT_FALSE(driver_.Has<agg_action::Grant>());
  driver_.Tell(agg_event::UploadStaged{large.id});
  driver_.Tell(agg_event::UploadFolded{large.id, absl::OkStatus()});
  EXPECT_TRUE(driver_.Has<agg_action::Grant>());
}

TEST_F(AggregatorUploadsTest, WaitingUploadsAreGrantedInOrder) {
  UploadInfo large = driver_.UploadOf("c0");
  large.bytes = 100;
  driver_.Tell(agg_event::UploadOffered{large});
  UploadInfo second = driver_.UploadOf("c2");
  second.bytes = 90;
  driver_.Tell(agg_event::UploadOffered{second});
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c1")});
  driver_.Tell(agg_event::ChildDown{"c0", 1});
  ASSERT_THAT(driver_.Of<agg_action::Grant>(), SizeIs(1)) << "c1 must not overtake c2";
  EXPECT_EQ(driver_.Of<agg_action::Grant>()[0].id.child, "c2");
}

TEST_F(AggregatorUploadsTest, AWaitingUploadThatGoesLeavesTheQueue) {
  UploadInfo large = driver_.UploadOf("c0");
  large.bytes = 100;
  driver_.Tell(agg_event::UploadOffered{large});
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c1")});
  driver_.Tell(agg_event::ChildDown{"c1", 1});
  EXPECT_EQ(driver_.core.staged_bytes(), 100u);
  driver_.Tell(agg_event::ChildDown{"c0", 1});
  EXPECT_FALSE(driver_.Has<agg_action::Grant>());
  EXPECT_EQ(driver_.core.staged_bytes(), 0u);
}

TEST_F(AggregatorUploadsTest, ABudgetThatGrowsIsUsed) {
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c0")});
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c1")});
  driver_.Tell(agg_event::UploadOffered{driver_.UploadOf("c2")});
  EXPECT_FALSE(driver_.Has<agg_action::Grant>());
  driver_.core.set_staging_bytes(120);
  driver_.Tell(agg_event::Tick{});
  EXPECT_TRUE(driver_.Has<agg_action::Grant>());
}

}  // namespace
}  // namespace skein
