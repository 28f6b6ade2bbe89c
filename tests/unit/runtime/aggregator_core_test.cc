// Who may speak, who is asked, and when an aggregation ends. Uploads have a file of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/aggregator_driver.h"

namespace skein {
namespace {

using Phase = BarrierCore::Phase;
using Into = agg_action::CloseFold::Into;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AggregatorCoreTest : public ::testing::Test {
 protected:
  AggregatorDriver all_{ConfigOf(PolicyOf("all", {{"timeout_s", 60.0}}))};
  AggregatorDriver quorum_{ConfigOf(PolicyOf("quorum", {{"count", 2}, {"deadline_s", 10.0}}))};
};

// ---- membership ----

TEST_F(AggregatorCoreTest, AnAnnouncedChildIsWelcomed) {
  all_.Tell(agg_event::ChildExpected{"c0", 3});
  EXPECT_THAT(all_.last, IsEmpty());
  all_.Tell(agg_event::ChildUp{"c0", 3});
  ASSERT_THAT(all_.Of<agg_action::Welcome>(), SizeIs(1));
  EXPECT_EQ(all_.Of<agg_action::Welcome>()[0].epoch, 3u);
}

TEST_F(AggregatorCoreTest, AChildThatIsFasterThanItsAnnouncementWaits) {
  all_.Tell(agg_event::ChildUp{"c0", 3});
  EXPECT_THAT(all_.last, IsEmpty());
  all_.Tell(agg_event::ChildExpected{"c0", 3});
  EXPECT_TRUE(all_.Has<agg_action::Welcome>());
}

TEST_F(AggregatorCoreTest, AWaitingChildOfAnOlderAttachmentIsRefused) {
  all_.Tell(agg_event::ChildUp{"c0", 3});
  all_.Tell(agg_event::ChildExpected{"c0", 4});
  ASSERT_THAT(all_.Of<agg_action::Refuse>(), SizeIs(1));
  EXPECT_EQ(all_.Of<agg_action::Refuse>()[0].epoch, 3u);
}

TEST_F(AggregatorCoreTest, StrangersAndVoidAttachmentsAreRefused) {
  all_.Tell(agg_event::ChildUp{"stranger", 1});
  ASSERT_THAT(all_.Of<agg_action::Refuse>(), SizeIs(1));
  EXPECT_EQ(all_.Of<agg_action::Refuse>()[0].why.code(), absl::StatusCode::kNotFound);
  all_.Tell(agg_event::ChildUp{"c0", 0});
  EXPECT_TRUE(all_.Has<agg_action::Refuse>());
  all_.Connect("c0", 5);
  all_.Tell(agg_event::ChildUp{"c0", 4});
  ASSERT_THAT(all_.Of<agg_action::Refuse>(), SizeIs(1));
  EXPECT_EQ(all_.Of<agg_action::Refuse>()[0].why.code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(AggregatorCoreTest, ALostChildNeedsANewAnnouncement) {
  all_.Connect("c0", 5);
  all_.Tell(agg_event::ChildLost{"c0", 5, "silent"});
  EXPECT_TRUE(all_.Has<agg_action::Refuse>());
  all_.Tell(agg_event::ChildUp{"c0", 5});
  EXPECT_TRUE(all_.Has<agg_action::Refuse>()) << "lost for good under this attachment";
  all_.Tell(agg_event::ChildUp{"c0", 6});
  EXPECT_THAT(all_.last, IsEmpty()) << "waits for its announcement";
  all_.Tell(agg_event::ChildExpected{"c0", 6});
  EXPECT_TRUE(all_.Has<agg_action::Welcome>());
}

TEST_F(AggregatorCoreTest, AWaitingChildThatIsLostIsRefused) {
  all_.Tell(agg_event::ChildUp{"c0", 5});
  all_.Tell(agg_event::ChildLost{"c0", 5, "silent"});
  EXPECT_TRUE(all_.Has<agg_action::Refuse>());
  all_.Tell(agg_event::ChildExpected{"c0", 5});
  EXPECT_THAT(all_.last, IsEmpty());
}

TEST_F(AggregatorCoreTest, NewsOfAnOldLossChangesNothing) {
  all_.Connect("c0", 5);
  all_.Tell(agg_event::ChildExpected{"c0", 6});
  all_.Tell(agg_event::ChildUp{"c0", 6});
  all_.Tell(agg_event::ChildLost{"c0", 5, "silent"});
  EXPECT_THAT(all_.last, IsEmpty());
}

TEST_F(AggregatorCoreTest, AnOlderLossDoesNotRaiseALaterOne) {
  all_.Tell(agg_event::ChildLost{"c0", 6, "silent"});
  all_.Tell(agg_event::ChildLost{"c0", 5, "silent"});
  all_.Tell(agg_event::ChildExpected{"c0", 6});
  all_.Tell(agg_event::ChildUp{"c0", 6});
  EXPECT_FALSE(all_.Has<agg_action::Welcome>());
  EXPECT_TRUE(all_.Has<agg_action::Refuse>());
}

TEST_F(AggregatorCoreTest, OnlyTheNewestHelloWaits) {
  all_.Tell(agg_event::ChildUp{"c0", 3});
  all_.Tell(agg_event::ChildUp{"c0", 5});
  ASSERT_THAT(all_.Of<agg_action::Refuse>(), SizeIs(1)) << "its older link would hang for good";
  EXPECT_EQ(all_.Of<agg_action::Refuse>()[0].epoch, 3u);
  all_.Tell(agg_event::ChildUp{"c0", 4});
  ASSERT_THAT(all_.Of<agg_action::Refuse>(), SizeIs(1));
  EXPECT_EQ(all_.Of<agg_action::Refuse>()[0].epoch, 4u);
  all_.Tell(agg_event::ChildExpected{"c0", 5});
  EXPECT_TRUE(all_.Has<agg_action::Welcome>());
}

TEST_F(AggregatorCoreTest, AReconnectionLeavesANewerHelloWaiting) {
  all_.Connect("c0", 5);
  all_.Tell(agg_event::ChildUp{"c0", 6});
  all_.Tell(agg_event::ChildDown{"c0", 5});
  all_.Tell(agg_event::ChildUp{"c0", 5});
  EXPECT_TRUE(all_.Has<agg_action::Welcome>()) << "5 is what was announced";
  all_.Tell(agg_event::ChildExpected{"c0", 6});
  ASSERT_THAT(all_.Of<agg_action::Welcome>(), SizeIs(1));
  EXPECT_EQ(all_.Of<agg_action::Welcome>()[0].epoch, 6u);
}

TEST_F(AggregatorCoreTest, ANewAnnouncementEndsTheLinkOfTheOldOne) {
  all_.Connect("c0", 5);
  all_.Tell(agg_event::ChildExpected{"c0", 6});
  ASSERT_THAT(all_.Of<agg_action::Refuse>(), SizeIs(1)) << "or it could go on to report failures";
  EXPECT_EQ(all_.Of<agg_action::Refuse>()[0].epoch, 5u);
  all_.Tell(agg_event::Committed{1, {1, 0, 0}});
  EXPECT_FALSE(all_.Has<agg_action::SendCommitted>());
}

TEST_F(AggregatorCoreTest, AReconnectedChildHearsOfItsTaskAgain) {
  all_.Open();
  all_.Tell(agg_event::ChildDown{"c1", 1});
  EXPECT_EQ(all_.core.phase(), Phase::kCollecting);
  all_.Tell(agg_event::ChildUp{"c1", 1});
  ASSERT_THAT(all_.Of<agg_action::SendTask>(), SizeIs(1));
  EXPECT_EQ(all_.Of<agg_action::SendTask>()[0].child, "c1");
  EXPECT_THAT(all_.Of<agg_action::OfferModel>(), SizeIs(1));
}

TEST_F(AggregatorCoreTest, AReconnectedChildThatHasContributedIsNotAskedAgain) {
  all_.Open();
  all_.Contribute("c1");
  all_.Tell(agg_event::ChildDown{"c1", 1});
  all_.Tell(agg_event::ChildUp{"c1", 1});
  EXPECT_FALSE(all_.Has<agg_action::SendTask>());
}

TEST_F(AggregatorCoreTest, ALostChildIsLeftOutOfTheOpenTask) {
  quorum_.Open();
  quorum_.Tell(agg_event::ChildLost{"c1", 1, "silent"});
  EXPECT_THAT(quorum_.Reported(), ElementsAre("worker_left_out c1"));
  EXPECT_EQ(quorum_.ReasonOfReport(), "lost: silent");
  all_.Open();
  all_.Tell(agg_event::ChildLost{"c1", 1, "silent"});
  ASSERT_THAT(all_.Of<agg_action::Abandon>(), SizeIs(1));
  EXPECT_THAT(all_.Of<agg_action::Abandon>()[0].reason, HasSubstr("'c1' failed (lost: silent)"));
}

// ---- tasks ----

TEST_F(AggregatorCoreTest, ATaskAsksEveryParticipant) {
  all_.Open();
  EXPECT_THAT(all_.Of<agg_action::BeginTask>(), SizeIs(1));
  const auto sent = all_.Of<agg_action::SendTask>();
  ASSERT_THAT(sent, SizeIs(3));
  EXPECT_EQ(sent[1].child, "c1");
  EXPECT_EQ(sent[1].task.participants, Roster::Of({5}));
  EXPECT_EQ(sent[1].task.seq_first, 10u);
  EXPECT_THAT(all_.Of<agg_action::OfferModel>(), SizeIs(3));
}

TEST_F(AggregatorCoreTest, WhoDoesNotTakePartIsNotAsked) {
  Task task = TrainTask();
  task.participants = Roster::Of({4, 6});
  all_.Open(task);
  const auto sent = all_.Of<agg_action::SendTask>();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[1].child, "c2");
  all_.Contribute("c0");
  all_.Contribute("c2");
  ASSERT_THAT(all_.Of<agg_action::CloseFold>(), SizeIs(1));
  EXPECT_EQ(all_.Of<agg_action::CloseFold>()[0].roster, Roster::Of({4, 6}));
}

TEST_F(AggregatorCoreTest, AChildWithoutALinkIsAskedWhenItComes) {
  all_.Tell(agg_event::ModelArrived{{}});
  all_.Tell(agg_event::TaskArrived{TrainTask()});
  EXPECT_FALSE(all_.Has<agg_action::SendTask>());
  all_.Connect("c2");
  EXPECT_THAT(all_.Of<agg_action::SendTask>(), SizeIs(1));
}

TEST_F(AggregatorCoreTest, ATaskWaitsForItsModel) {
  all_.Connect("c0");
  all_.Tell(agg_event::TaskArrived{TrainTask(2)});
  EXPECT_EQ(all_.core.phase(), Phase::kAwaitingModel);
  EXPECT_FALSE(all_.Has<agg_action::SendTask>());
  all_.Tell(agg_event::ModelArrived{{0, 0, 0}});
  EXPECT_EQ(all_.core.phase(), Phase::kAwaitingModel) << "another version";
  all_.Tell(agg_event::ModelArrived{{1, 0, 0}});
  EXPECT_EQ(all_.core.phase(), Phase::kCollecting);
  EXPECT_TRUE(all_.Has<agg_action::SendTask>());
}

TEST_F(AggregatorCoreTest, ATaskHeardTwiceIsDoneOnce) {
  all_.Open();
  all_.Contribute("c0");
  all_.Tell(agg_event::TaskArrived{TrainTask()});
  EXPECT_THAT(all_.last, IsEmpty());
  all_.Contribute("c1");
  all_.Contribute("c2");
  ASSERT_EQ(all_.core.phase(), Phase::kDelivering);
  all_.Tell(agg_event::TaskArrived{TrainTask()});
  EXPECT_THAT(all_.last, IsEmpty());
}

TEST_F(AggregatorCoreTest, ATaskThatWasGivenUpIsGivenUpAgain) {
  all_.Open();
  all_.Fail("c1", "out of memory");
  const std::string reason = all_.Of<agg_action::Abandon>().at(0).reason;
  all_.Tell(agg_event::TaskArrived{TrainTask()});
  EXPECT_FALSE(all_.Has<agg_action::SendTask>()) << "local models would be made anew by old names";
  ASSERT_THAT(all_.Of<agg_action::Abandon>(), SizeIs(1)) << "the parent has not heard of it";
  EXPECT_EQ(all_.Of<agg_action::Abandon>()[0].reason, reason);
  Task next = TrainTask();
  next.attempt = 1;
  next.seq_first = 11;
  all_.Tell(agg_event::TaskArrived{next});
  EXPECT_THAT(all_.Of<agg_action::SendTask>(), SizeIs(3));
  for (const char* child : {"c0", "c1", "c2"}) all_.Contribute(all_.UploadOf(child, next));
  all_.Tell(agg_event::Delivered{});
  all_.Tell(agg_event::TaskArrived{next});
  EXPECT_FALSE(all_.Has<agg_action::Abandon>()) << "this one was not given up";
}

TEST_F(AggregatorCoreTest, ANewerTaskSupersedesTheOpenOne) {
  all_.Open();
  all_.Contribute("c0");
  Task again = TrainTask();
  again.attempt = 1;
  again.seq_first = 11;
  all_.Tell(agg_event::TaskArrived{again});
  EXPECT_THAT(all_.Of<agg_action::SendCancel>(), SizeIs(2)) << "c1 and c2 still worked";
  EXPECT_THAT(all_.Of<agg_action::SendTask>(), SizeIs(3));
  all_.Contribute(all_.UploadOf("c0", again, 2));
  all_.Contribute(all_.UploadOf("c1", again));
  all_.Contribute(all_.UploadOf("c2", again));
  ASSERT_THAT(all_.Of<agg_action::CloseFold>(), SizeIs(1));
  EXPECT_EQ(all_.Of<agg_action::CloseFold>()[0].task.attempt, 1u);
}

TEST_F(AggregatorCoreTest, ACancelledTaskIsPassedOnAndForgotten) {
  all_.Open();
  all_.Tell(agg_event::Cancelled{2, "another round"});
  EXPECT_THAT(all_.last, IsEmpty());
  all_.Contribute("c0");
  all_.Tell(agg_event::Cancelled{1, "the deadline passed"});
  const auto cancels = all_.Of<agg_action::SendCancel>();
  ASSERT_THAT(cancels, SizeIs(3));
  EXPECT_EQ(cancels[0].child, "c1");
  EXPECT_EQ(cancels[0].cancel.reason, "the deadline passed");
  EXPECT_EQ(cancels[2].child, "c0") << "whose update will not count either";
  EXPECT_EQ(all_.core.phase(), Phase::kIdle);
  EXPECT_FALSE(all_.Has<agg_action::Abandon>()) << "the parent knows";
}

TEST_F(AggregatorCoreTest, ThoseWhoseUpdatesAreGivenUpAreTold) {
  all_.Open();
  all_.Contribute("c0");
  all_.Fail("c1", "out of memory");
  ASSERT_TRUE(all_.Has<agg_action::Abandon>());
  const auto cancels = all_.Of<agg_action::SendCancel>();
  ASSERT_THAT(cancels, SizeIs(2)) << "c2 still worked, c0 must not believe that its update counts";
  EXPECT_EQ(cancels[0].child, "c2");
  EXPECT_EQ(cancels[1].child, "c0");
}

TEST_F(AggregatorCoreTest, AModelCrossesALinkOnce) {
  all_.Open();
  Task again = TrainTask();  // from the same version
  again.attempt = 1;
  again.seq_first = 11;
  all_.Tell(agg_event::TaskArrived{again});
  EXPECT_THAT(all_.Of<agg_action::SendTask>(), SizeIs(3));
  EXPECT_FALSE(all_.Has<agg_action::OfferModel>());
  all_.Tell(agg_event::ChildDown{"c1", 1});
  all_.Tell(agg_event::ChildUp{"c1", 1});
  EXPECT_TRUE(all_.Has<agg_action::OfferModel>()) << "it may have been lost with the link";
}

TEST_F(AggregatorCoreTest, AModelThatIsLostHalfWayIsOfferedAnew) {
  all_.Open();
  const VersionRef base = TrainTask().base;
  all_.Tell(agg_event::ModelLost{base});
  EXPECT_EQ(all_.core.phase(), Phase::kCollecting);
  all_.Tell(agg_event::ChildDown{"c1", 1});
  all_.Tell(agg_event::ChildUp{"c1", 1});
  EXPECT_FALSE(all_.Has<agg_action::OfferModel>()) << "there is nothing to offer";
  all_.Tell(agg_event::ModelArrived{base});
  EXPECT_THAT(all_.Of<agg_action::OfferModel>(), SizeIs(3));
  all_.Tell(agg_event::ModelArrived{base});
  EXPECT_FALSE(all_.Has<agg_action::OfferModel>()) << "all have it on offer";
}

TEST_F(AggregatorCoreTest, ACommitIsPassedOnToThoseWhoAreThere) {
  all_.Connect("c0");
  all_.Connect("c2");
  all_.Tell(agg_event::Committed{3, {3, 0, 0}});
  const auto sent = all_.Of<agg_action::SendCommitted>();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[1].child, "c2");
  EXPECT_EQ(sent[1].committed.round, 3u);
}

TEST_F(AggregatorCoreTest, OldModelsAreForgottenButNotTheOpenTasksBase) {
  all_.Open(TrainTask(1));
  all_.Tell(agg_event::ModelArrived{{1, 0, 0}});
  all_.Tell(agg_event::ModelArrived{{2, 0, 0}});
  EXPECT_THAT(all_.core.models(), ElementsAre(VersionRef{0, 0, 0}, VersionRef{2, 0, 0}));
  all_.Tell(agg_event::Cancelled{1, ""});
  all_.Tell(agg_event::ModelArrived{{3, 0, 0}});
  EXPECT_THAT(all_.core.models(), ElementsAre(VersionRef{3, 0, 0}));
}

TEST_F(AggregatorCoreTest, TheBaseOfTheOpenLocalRoundIsNotForgotten) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf("all"));
  config.kappa = 2;
  AggregatorDriver driver(config);
  Task task = TrainTask();
  task.seq_count = 2;
  driver.Open(task);
  for (const char* child : {"c0", "c1", "c2"}) driver.Contribute(driver.UploadOf(child, task));
  driver.Tell(agg_event::LocalModelMade{{0, 0, 1}});
  driver.Tell(agg_event::ModelArrived{{1, 0, 0}});
  EXPECT_THAT(driver.core.models(),
              ElementsAre(VersionRef{0, 0, 0}, VersionRef{0, 0, 1}, VersionRef{1, 0, 0}))
      << "nor the newest, which the next task begins with";
}

// ---- the end of an aggregation ----

TEST_F(AggregatorCoreTest, AllClosesWithTheLastContribution) {
  all_.Open();
  all_.Contribute("c2");
  all_.Contribute("c0");
  EXPECT_FALSE(all_.Has<agg_action::CloseFold>());
  all_.Contribute("c1");
  ASSERT_THAT(all_.Of<agg_action::CloseFold>(), SizeIs(1));
  const auto close = all_.Of<agg_action::CloseFold>()[0];
  EXPECT_EQ(close.into, Into::kPartial);
  EXPECT_EQ(close.roster, Roster::Range(4, 7));
  EXPECT_EQ(all_.core.phase(), Phase::kDelivering);
  all_.Tell(agg_event::Delivered{});
  EXPECT_EQ(all_.core.phase(), Phase::kIdle);
}

TEST_F(AggregatorCoreTest, AllGivesUpAtOnceAndSaysWhy) {
  all_.Open();
  all_.Fail("c1", "out of memory");
  ASSERT_THAT(all_.Of<agg_action::Abandon>(), SizeIs(1));
  EXPECT_EQ(all_.Of<agg_action::Abandon>()[0].reason,
            "'a': policy 'all' needs 3 of 3 children and 1 failed; 'c1' failed (out of memory), "
            "'c0' has not answered, 'c2' has not answered");
  EXPECT_THAT(all_.Of<agg_action::SendCancel>(), SizeIs(2));
  EXPECT_EQ(all_.core.phase(), Phase::kIdle);
}

TEST_F(AggregatorCoreTest, AllGivesUpOnSilence) {
  all_.Open();
  ASSERT_FALSE(all_.Of<agg_action::WakeAt>().empty());
  EXPECT_EQ(all_.Of<agg_action::WakeAt>()[0].when, seconds(60));
  all_.Contribute("c0");
  all_.Tell(agg_event::ChildDown{"c2", 1});
  all_.now = seconds(59);
  all_.Tell(agg_event::Tick{});
  EXPECT_FALSE(all_.Has<agg_action::Abandon>());
  all_.now = seconds(60);
  all_.Tell(agg_event::Tick{});
  ASSERT_THAT(all_.Of<agg_action::Abandon>(), SizeIs(1));
  EXPECT_THAT(all_.Of<agg_action::Abandon>()[0].reason,
              HasSubstr("'c1' has not answered, 'c2' is not connected"));
}

TEST_F(AggregatorCoreTest, AQuorumClosesAtItsDeadlineAndCancelsTheLate) {
  quorum_.Open();
  quorum_.Contribute("c0");
  quorum_.Contribute("c1");
  EXPECT_EQ(quorum_.core.phase(), Phase::kCollecting) << "c2 has until the deadline";
  quorum_.now = seconds(10);
  quorum_.Tell(agg_event::Tick{});
  EXPECT_THAT(quorum_.Reported(), ElementsAre("worker_left_out c2"));
  EXPECT_EQ(quorum_.ReasonOfReport(), "too late: the deadline of 10 s passed");
  ASSERT_THAT(quorum_.Of<agg_action::SendCancel>(), SizeIs(1));
  EXPECT_EQ(quorum_.Of<agg_action::SendCancel>()[0].child, "c2");
  ASSERT_THAT(quorum_.Of<agg_action::CloseFold>(), SizeIs(1));
  EXPECT_EQ(quorum_.Of<agg_action::CloseFold>()[0].roster, Roster::Of({4, 5}));
}

TEST_F(AggregatorCoreTest, AQuorumClosesWhenNoneIsLeftToWaitFor) {
  quorum_.Open();
  quorum_.Contribute("c0");
  quorum_.Fail("c1", "no battery");
  EXPECT_THAT(quorum_.Reported(), ElementsAre("worker_left_out c1"));
  quorum_.Contribute("c2");
  EXPECT_TRUE(quorum_.Has<agg_action::CloseFold>());
}

TEST_F(AggregatorCoreTest, FailuresOfOtherTasksAreIgnored) {
  all_.Open(TrainTask(2));
  all_.Fail("c0", "late news", TrainTask(1));
  all_.Fail("c0", "other kind", EvaluateTask(2));
  all_.Fail("stranger", "?", TrainTask(2));
  EXPECT_EQ(all_.core.phase(), Phase::kCollecting);
  all_.Contribute(all_.UploadOf("c0", TrainTask(2)));
  all_.Fail("c0", "too late", TrainTask(2));
  EXPECT_EQ(all_.core.phase(), Phase::kCollecting);
}

TEST_F(AggregatorCoreTest, AWorkersBadUpdateIsReportedAsRejected) {
  quorum_.Open();
  quorum_.Tell(agg_event::ChildFailed{"c1", {TaskKind::kTrain, 1, 0, "another shape", true}});
  EXPECT_THAT(quorum_.Reported(), ElementsAre("update_rejected c1"));
}

TEST_F(AggregatorCoreTest, AnAggregatorsFailureNamesItsWorkers) {
  AggregatorDriver driver(
      ConfigOf(PolicyOf("quorum", {{"count", 1}, {"deadline_s", 10.0}}), NodeRole::kAggregator));
  driver.Open();
  driver.Fail("c1", "its policy gave up");
  const ValueMap fields = driver.Of<agg_action::Report>().at(0).event.fields;
  EXPECT_EQ(*fields.at("roster").AsString(), Roster::Of({6, 7}).ToString());
  quorum_.Open();
  quorum_.Fail("c1", "no battery");
  EXPECT_FALSE(quorum_.Of<agg_action::Report>().at(0).event.fields.contains("roster"));
}

TEST_F(AggregatorCoreTest, ReportsSayForHowLongAChildHadItsTask) {
  quorum_.now = seconds(100);
  quorum_.Open();
  quorum_.now += std::chrono::nanoseconds(2'500'000'400);
  quorum_.Contribute("c0");
  EXPECT_THAT(quorum_.TaskTimes(), ElementsAre(2.5));
  quorum_.Tell(agg_event::ChildDown{"c1", 1});
  quorum_.Tell(agg_event::ChildUp{"c1", 1});  // hears of it again
  quorum_.AdvanceTo(seconds(104));
  quorum_.Contribute("c1");
  EXPECT_THAT(quorum_.TaskTimes(), ElementsAre(4.0));
  quorum_.AdvanceTo(seconds(110));  // the deadline, without c2
  EXPECT_THAT(quorum_.TaskTimes(), ElementsAre(10.0));
  quorum_.Tell(agg_event::Delivered{});
  quorum_.Tell(agg_event::ModelArrived{TrainTask(2).base});
  quorum_.Tell(agg_event::TaskArrived{TrainTask(2)});
  quorum_.AdvanceTo(seconds(111));
  quorum_.Fail("c0", "no battery", TrainTask(2));
  EXPECT_THAT(quorum_.TaskTimes(), ElementsAre(1.0));
}

TEST_F(AggregatorCoreTest, AChildThatWasNeverAskedHasHadNoTask) {
  for (const char* child : {"c0", "c1"}) quorum_.Connect(child);
  quorum_.Tell(agg_event::ModelArrived{TrainTask().base});
  quorum_.Tell(agg_event::TaskArrived{TrainTask()});
  quorum_.AdvanceTo(seconds(3));
  quorum_.Tell(agg_event::ChildLost{"c2", 1, "silent"});
  EXPECT_THAT(quorum_.TaskTimes(), ElementsAre(-1));
}

TEST_F(AggregatorCoreTest, ManyFailuresAreCountedNotListed) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf("all"));
  for (int i = 3; i < 9; ++i) {
    const LeafIndex leaf = static_cast<LeafIndex>(4 + i);
    config.view.children.push_back({"c" + std::to_string(i), NodeRole::kWorker, leaf, leaf + 1});
  }
  AggregatorDriver driver(config);
  driver.Open();
  driver.Fail("c4", "why");
  EXPECT_THAT(driver.Of<agg_action::Abandon>().at(0).reason, HasSubstr(", and 6 more"));
}

TEST_F(AggregatorCoreTest, TheRootMakesTheNextVersionOfTheAttempt) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf("all"));
  config.view.tier = 0;
  AggregatorDriver root(config);
  Task task = TrainTask(3);
  task.attempt = 2;
  root.Open(task);
  for (const char* child : {"c0", "c1", "c2"}) root.Contribute(root.UploadOf(child, task));
  ASSERT_THAT(root.Of<agg_action::CloseFold>(), SizeIs(1));
  EXPECT_EQ(root.Of<agg_action::CloseFold>()[0].into, Into::kVersion);
  EXPECT_EQ(root.Of<agg_action::CloseFold>()[0].made, (VersionRef{3, 2, 0}));
}

// ---- local rounds ----

TEST_F(AggregatorCoreTest, LocalRoundsFollowEachOther) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf("all"));
  config.kappa = 3;
  AggregatorDriver driver(config);
  Task task = TrainTask();
  task.seq_count = 3;
  driver.Open(task);
  for (uint32_t local = 0; local < 3; ++local) {
    SCOPED_TRACE(local);
    Task part = task;
    part.local_round = local;
    part.seq_first = task.seq_first + local;
    part.base.local_round = local;
    const auto sent = driver.Of<agg_action::SendTask>();
    ASSERT_THAT(sent, SizeIs(3));
    EXPECT_EQ(sent[0].task.local_round, local);
    EXPECT_EQ(sent[0].task.seq_first, part.seq_first);
    EXPECT_EQ(sent[0].task.seq_count, 1u);
    EXPECT_EQ(sent[0].task.base, part.base);
    for (const char* child : {"c0", "c1", "c2"}) {
      driver.Contribute(driver.UploadOf(child, part, local + 1));
    }
    ASSERT_THAT(driver.Of<agg_action::CloseFold>(), SizeIs(1));
    const auto close = driver.Of<agg_action::CloseFold>()[0];
    EXPECT_EQ(close.base, part.base);
    if (local == 2) {
      EXPECT_EQ(close.into, Into::kLocalDelta);
      break;
    }
    EXPECT_EQ(close.into, Into::kLocalModel);
    EXPECT_EQ(close.made, (VersionRef{0, 0, local + 1}));
    driver.Tell(agg_event::LocalModelMade{close.made});
    EXPECT_EQ(driver.core.phase(), Phase::kCollecting);
    EXPECT_THAT(driver.core.models(), ::testing::Contains(task.base)) << "the result refers to it";
  }
}

TEST_F(AggregatorCoreTest, WhatIsOneContributionToAnotherFoldIsADifference) {
  for (const bool as_one : {false, true}) {
    AggregatorCoreConfig config = ConfigOf(PolicyOf("all"), NodeRole::kAggregator);
    config.view.tier = 1;
    config.reports_as_one = as_one;
    AggregatorDriver driver(config);
    const Task task = TrainTask();
    driver.Open(task);
    for (const char* child : {"c0", "c1", "c2"}) driver.Contribute(driver.UploadOf(child, task));
    ASSERT_THAT(driver.Of<agg_action::CloseFold>(), SizeIs(1));
    const auto close = driver.Of<agg_action::CloseFold>()[0];
    EXPECT_EQ(close.into, as_one ? Into::kLocalDelta : Into::kPartial);
    EXPECT_EQ(close.base, task.base);
    EXPECT_THAT(driver.core.models(), ::testing::Contains(task.base)) << "the result refers to it";
  }
}

TEST_F(AggregatorCoreTest, ATaskThatComesAmidLocalRoundsBeginsWithItsFirst) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf("all"));
  config.kappa = 2;
  AggregatorDriver driver(config);
  Task task = TrainTask(1);
  task.seq_count = 2;
  driver.Open(task);
  for (const char* child : {"c0", "c1", "c2"}) driver.Contribute(driver.UploadOf(child, task));
  driver.Tell(agg_event::LocalModelMade{driver.Of<agg_action::CloseFold>().at(0).made});
  ASSERT_EQ(driver.Of<agg_action::SendTask>().at(0).task.local_round, 1u);
  driver.Tell(agg_event::ModelArrived{{1, 0, 0}});
  driver.Tell(agg_event::TaskArrived{TrainTask(2)});
  EXPECT_EQ(driver.Of<agg_action::SendTask>().at(0).task.local_round, 0u);
  EXPECT_EQ(driver.Of<agg_action::SendTask>().at(0).task.base, (VersionRef{1, 0, 0}));
}

TEST_F(AggregatorCoreTest, LocalRoundsShareTheTasksOfTheTierBelow) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf("all"), NodeRole::kAggregator);
  config.kappa = 2;
  AggregatorDriver driver(config);
  Task task = TrainTask();
  task.seq_count = 6;  // three more local rounds below
  driver.Open(task);
  EXPECT_EQ(driver.Of<agg_action::SendTask>().at(0).task.seq_count, 3u);
  for (const char* child : {"c0", "c1", "c2"}) driver.Contribute(driver.UploadOf(child, task));
  driver.Tell(agg_event::LocalModelMade{driver.Of<agg_action::CloseFold>().at(0).made});
  const Task second = driver.Of<agg_action::SendTask>().at(0).task;
  EXPECT_EQ(second.seq_first, task.seq_first + 3);
  EXPECT_EQ(second.seq_count, 3u);
  EXPECT_EQ(second.local_round, 3u);
}

TEST_F(AggregatorCoreTest, WhatComesFromAnEarlierLocalRoundHarmsNobody) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf("all"), NodeRole::kAggregator);
  config.kappa = 2;
  AggregatorDriver driver(config);
  Task task = TrainTask();
  task.seq_count = 2;
  driver.Open(task);
  for (const char* child : {"c0", "c1", "c2"}) driver.Contribute(driver.UploadOf(child, task));
  driver.Tell(agg_event::LocalModelMade{{7, 0, 1}});
  EXPECT_EQ(driver.core.phase(), Phase::kDelivering) << "another model";
  driver.Tell(agg_event::LocalModelMade{{0, 0, 1}});
  ASSERT_EQ(driver.core.phase(), Phase::kCollecting);
  driver.Tell(agg_event::UploadOffered{driver.UploadOf("c0", task, 2)});
  EXPECT_TRUE(driver.Of<agg_action::Acknowledge>().at(0).status.ok())
      << "what counted in it is acknowledged again";
  EXPECT_THAT(driver.Of<agg_action::Grant>(), IsEmpty());
  UploadInfo other = driver.UploadOf("c0", task, 3);
  other.seq += 100;
  driver.Tell(agg_event::UploadOffered{other});
  EXPECT_EQ(driver.Of<agg_action::Acknowledge>().at(0).status.code(),
            absl::StatusCode::kFailedPrecondition);
  driver.Fail("c0", "late news", task);
  EXPECT_THAT(driver.Reported(), IsEmpty());
  EXPECT_EQ(driver.core.phase(), Phase::kCollecting);
}

// ---- evaluation ----

TEST_F(AggregatorCoreTest, EvaluationsAreMergedAndDelivered) {
  all_.Open(EvaluateTask());
  EXPECT_TRUE(all_.core.IsAwaited("c0", 1, {}));
  EXPECT_FALSE(all_.core.IsAwaited("c0", 2, {}));
  EXPECT_FALSE(all_.core.IsAwaited("c0", 1, {7, 0, 0}));
  EXPECT_FALSE(all_.core.IsAwaited("stranger", 1, {}));
  all_.Tell(agg_event::ChildEvaluated{"c0", 1, {}, Roster::Of({4})});
  EXPECT_FALSE(all_.core.IsAwaited("c0", 1, {})) << "it counts once";
  all_.Tell(agg_event::ChildEvaluated{"c1", 2, {}, Roster::Of({5})});
  all_.Tell(agg_event::ChildEvaluated{"c2", 1, {}, Roster::Of({6})});
  EXPECT_EQ(all_.core.phase(), Phase::kCollecting) << "c1 spoke of another round";
  all_.Tell(agg_event::ChildEvaluated{"c1", 1, {}, Roster::Of({5})});
  ASSERT_THAT(all_.Of<agg_action::DeliverEvaluation>(), SizeIs(1));
  EXPECT_EQ(all_.Of<agg_action::DeliverEvaluation>()[0].roster, Roster::Range(4, 7));
  EXPECT_EQ(all_.core.phase(), Phase::kDelivering);
}

TEST_F(AggregatorCoreTest, AFailedEvaluationIsTheChildsFailure) {
  quorum_.Open(EvaluateTask());
  quorum_.Fail("c1", "no test data", EvaluateTask());
  EXPECT_THAT(quorum_.Reported(), ElementsAre("worker_left_out c1"));
  EXPECT_EQ(*quorum_.Of<agg_action::Report>()[0].event.fields.at("task").AsString(), "evaluate");
}

}  // namespace
}  // namespace skein
