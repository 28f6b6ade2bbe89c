// A fold in passes, as the core sees it: who asks, who is asked, and what ends it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/aggregator_driver.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Phase = BarrierCore::Phase;

// The task of pass n of TrainTask().
Task PassTask(uint32_t pass, const Roster& roster) {
  Task task = TrainTask();
  task.base.pass = pass;
  task.participants = roster;
  return task;
}

AggregatorCoreConfig Leading(NodeRole children = NodeRole::kAggregator) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf("all"), children);
  config.leads_passes = true;
  return config;
}

AggregatorCoreConfig Answering(NodeRole children) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf("quorum", {{"count", 2}}), children);
  config.answers_passes = true;
  return config;
}

class BarrierPassesTest : public ::testing::Test {
 protected:
  // All have contributed; the first question is here.
  static VersionRef Begin(AggregatorDriver& driver) {
    driver.Open();
    for (const char* child : {"c0", "c1", "c2"}) driver.Contribute(child);
    const auto closed = driver.Of<agg_action::CloseFold>();
    EXPECT_THAT(closed, SizeIs(1));
    driver.Tell(agg_event::PassBegun{closed.at(0).next_question});
    return closed.at(0).next_question;
  }
  static UploadInfo Answer(const AggregatorDriver& driver, const NodeId& child,
                           const VersionRef& question, uint64_t transfer) {
    UploadInfo info = driver.UploadOf(child, TrainTask(), transfer);
    info.base = question;
    return info;
  }
};

TEST_F(BarrierPassesTest, ThoseWhoContributedAreAskedAndTheStepIsThatOfTheFirstClose) {
  AggregatorDriver driver(Leading());
  driver.Open();
  for (const char* child : {"c0", "c1", "c2"}) driver.Contribute(child);
  const agg_action::CloseFold first = driver.Of<agg_action::CloseFold>().at(0);
  EXPECT_EQ(first.asked, VersionRef{});
  const VersionRef question{.version = 0, .pass = 1};
  EXPECT_EQ(first.next_question, question);
  driver.Tell(agg_event::PassBegun{question});
  EXPECT_EQ(driver.core.phase(), Phase::kCollecting);
  EXPECT_FALSE(driver.Has<agg_action::BeginTask>()) << "what was collected stays";
  EXPECT_EQ(driver.Of<agg_action::OpenBucket>().at(0).key.base, question);
  ASSERT_THAT(driver.Of<agg_action::SendTask>(), SizeIs(3));
  EXPECT_EQ(driver.Of<agg_action::SendTask>()[1].task.base, question);
  EXPECT_EQ(driver.Of<agg_action::SendTask>()[1].task.participants, Roster::Range(6, 8));
  EXPECT_EQ(driver.Of<agg_action::OfferModel>().at(0).version, question);
  uint64_t transfer = 10;
  for (const char* child : {"c2", "c0"}) {
    driver.Contribute(Answer(driver, child, question, ++transfer));
    EXPECT_THAT(driver.Reported(), IsEmpty()) << "it was accepted once";
  }
  EXPECT_FALSE(driver.Has<agg_action::CloseFold>());
  driver.Contribute(Answer(driver, "c1", question, ++transfer));
  const agg_action::CloseFold second = driver.Of<agg_action::CloseFold>().at(0);
  EXPECT_EQ(second.into, first.into);
  EXPECT_EQ(second.roster, first.roster);
  EXPECT_EQ(second.base, first.base);
  EXPECT_THAT(second.buckets, SizeIs(1));
  EXPECT_EQ(second.buckets[0].updates, 6u);
  EXPECT_EQ(second.asked, question);
  EXPECT_EQ(second.next_question, (VersionRef{.version = 0, .pass = 2}));
  EXPECT_THAT(driver.core.models(), ElementsAre(VersionRef{}, question)) << "both are needed";
}

TEST_F(BarrierPassesTest, AnotherAttemptAsksOtherQuestions) {
  AggregatorDriver driver(Leading());
  Task task = TrainTask();
  task.attempt = 2;
  driver.Open(task);
  for (const char* child : {"c0", "c1", "c2"}) driver.Contribute(driver.UploadOf(child, task));
  EXPECT_EQ(driver.Of<agg_action::CloseFold>().at(0).next_question,
            (VersionRef{.version = 0, .attempt = 2, .pass = 1}));
}

TEST_F(BarrierPassesTest, WithoutOneThatCannotAnswerThePassesBeginAnew) {
  AggregatorCoreConfig config = Leading();
  config.policy = PolicyOf("quorum", {{"fraction", 0.5}, {"deadline_s", 60}});
  AggregatorDriver driver(config);
  const VersionRef question = Begin(driver);
  driver.Contribute(Answer(driver, "c0", question, 10));
  driver.Fail("c1", "it has restarted");
  EXPECT_THAT(driver.Reported(), ElementsAre("worker_left_out c1"));
  EXPECT_FALSE(driver.Has<agg_action::CloseFold>()) << "c2 has not answered";
  driver.Contribute(Answer(driver, "c2", question, 11));
  ASSERT_THAT(driver.Of<agg_action::CloseFold>(), SizeIs(1));
  const agg_action::CloseFold anew = driver.Of<agg_action::CloseFold>()[0];
  EXPECT_TRUE(anew.begins_anew);
  EXPECT_EQ(anew.roster.ToString(), "4-5,8-9");
  ASSERT_THAT(anew.buckets, SizeIs(1));
  EXPECT_EQ(anew.buckets[0].roster, anew.roster);
  EXPECT_EQ(anew.buckets[0].updates, 4u);
  EXPECT_EQ(anew.next_question, (VersionRef{.version = 0, .pass = 2}));
  ASSERT_THAT(driver.Of<agg_action::SendCancel>(), SizeIs(1));
  EXPECT_EQ(driver.Of<agg_action::SendCancel>()[0].child, "c1");
  driver.Tell(agg_event::PassBegun{anew.next_question});
  ASSERT_THAT(driver.Of<agg_action::SendTask>(), SizeIs(2));
  EXPECT_EQ(driver.Of<agg_action::SendTask>()[1].child, "c2");
  driver.Contribute(Answer(driver, "c0", anew.next_question, 12));
  driver.Contribute(Answer(driver, "c2", anew.next_question, 13));
  EXPECT_FALSE(driver.Of<agg_action::CloseFold>().at(0).begins_anew);
  EXPECT_EQ(driver.Of<agg_action::CloseFold>()[0].roster, anew.roster);
}

TEST_F(BarrierPassesTest, ThePolicySaysWhetherThoseThatAreLeftAreEnough) {
  AggregatorCoreConfig config = Leading();
  config.policy = PolicyOf("quorum", {{"fraction", 0.9}, {"deadline_s", 60}});
  AggregatorDriver driver(config);
  const VersionRef question = Begin(driver);
  driver.Contribute(Answer(driver, "c0", question, 10));
  driver.Contribute(Answer(driver, "c2", question, 11));
  driver.Fail("c1", "it has restarted");
  ASSERT_THAT(driver.Of<agg_action::Abandon>(), SizeIs(1));
  EXPECT_THAT(
      driver.Of<agg_action::Abandon>()[0].reason,
      AllOf(HasSubstr("pass 1 has no answer: policy 'quorum'"), HasSubstr("it has restarted")));
}

TEST_F(BarrierPassesTest, OneThatIsLostEndsItUnderAPolicyOfAll) {
  AggregatorDriver driver(Leading());
  const VersionRef question = Begin(driver);
  driver.Contribute(Answer(driver, "c0", question, 10));
  driver.Tell(agg_event::ChildDown{"c1", 1});
  EXPECT_EQ(driver.core.phase(), Phase::kCollecting) << "it may come back";
  driver.Tell(agg_event::ChildUp{"c1", 1});
  EXPECT_THAT(driver.Of<agg_action::SendTask>(), SizeIs(1)) << "and is asked again";
  driver.Tell(agg_event::ChildDown{"c1", 1});
  driver.Tell(agg_event::ChildLost{"c1", 1, "silent"});
  EXPECT_FALSE(driver.Has<agg_action::Abandon>()) << "c2 has to answer first";
  driver.Contribute(Answer(driver, "c2", question, 11));
  ASSERT_THAT(driver.Of<agg_action::Abandon>(), SizeIs(1));
  EXPECT_THAT(driver.Of<agg_action::Abandon>()[0].reason,
              AllOf(HasSubstr("pass 1 has no answer: policy 'all' needs 3 of 3"),
                    HasSubstr("'c1' failed (lost: silent)")));
  EXPECT_THAT(driver.Of<agg_action::SendCancel>(), SizeIs(2)) << "the others may let go";
  driver.Tell(agg_event::ChildExpected{"c1", 2});
  driver.Tell(agg_event::ChildUp{"c1", 2});
  EXPECT_THAT(driver.Of<agg_action::SendCancel>(), SizeIs(1)) << "it has to know, too";
}

// Its frames were lost, or it is stuck: a node that sends nothing does not hold the others up for
// longer than the policy waits for children.
TEST_F(BarrierPassesTest, OneThatIsSilentHasThePatienceOfThePolicy) {
  AggregatorCoreConfig config = Leading();
  config.policy = PolicyOf("quorum", {{"fraction", 0.5}, {"deadline_s", 60}});
  config.upload_stall_timeout = std::chrono::seconds(1000);
  AggregatorDriver driver(config);
  const VersionRef question = Begin(driver);
  driver.Contribute(Answer(driver, "c0", question, 10));
  driver.Tell(agg_event::UploadOffered{Answer(driver, "c1", question, 11)});
  driver.AdvanceTo(std::chrono::seconds(59));
  EXPECT_THAT(driver.Reported(), IsEmpty());
  driver.AdvanceTo(std::chrono::seconds(61));
  EXPECT_EQ(driver.core.phase(), Phase::kCollecting) << "c1 is sending";
  driver.Contribute(Answer(driver, "c1", question, 11));
  ASSERT_THAT(driver.Of<agg_action::CloseFold>(), SizeIs(1));
  EXPECT_TRUE(driver.Of<agg_action::CloseFold>()[0].begins_anew);
  EXPECT_EQ(driver.Of<agg_action::CloseFold>()[0].roster, Roster::Range(4, 8));
}

TEST_F(BarrierPassesTest, ANodeBetweenHasNoAnswerIfOneBelowHasNone) {
  AggregatorDriver driver(Answering(NodeRole::kAggregator));
  driver.Open();
  driver.Contribute("c0");
  driver.Contribute("c2");
  const Task asked = PassTask(1, driver.Of<agg_action::CloseFold>().at(0).roster);
  driver.Tell(agg_event::Delivered{});
  driver.Tell(agg_event::ModelArrived{asked.base});
  driver.Tell(agg_event::TaskArrived{asked});
  driver.Contribute(Answer(driver, "c0", asked.base, 10));
  driver.Fail("c2", "it has restarted");
  ASSERT_THAT(driver.Of<agg_action::Abandon>(), SizeIs(1));
  EXPECT_THAT(driver.Of<agg_action::Abandon>()[0].reason, HasSubstr("it has restarted"));
  EXPECT_THAT(driver.Of<agg_action::SendCancel>(), SizeIs(2)) << "both";
}

TEST_F(BarrierPassesTest, AnAnswerIsForAllThatWereAskedFor) {
  AggregatorDriver driver(Leading());
  const VersionRef question = Begin(driver);
  UploadInfo some = Answer(driver, "c1", question, 10);
  some.roster = Roster::Of({6});
  driver.Tell(agg_event::UploadOffered{some});
  EXPECT_THAT(Message(driver.Of<agg_action::Acknowledge>().at(0).status),
              HasSubstr("it answers for"));
  EXPECT_THAT(driver.Reported(), ElementsAre("update_rejected c1"));
}

// The acknowledgment was lost with a link; the parent has gone on.
TEST_F(BarrierPassesTest, WhatCountedInAnEarlierPassIsAcknowledgedAgain) {
  AggregatorDriver driver(Leading());
  const VersionRef question = Begin(driver);
  driver.Tell(agg_event::UploadOffered{driver.UploadOf("c0", TrainTask(), 10)});
  EXPECT_TRUE(driver.Of<agg_action::Acknowledge>().at(0).status.ok());
  driver.Tell(agg_event::UploadOffered{Answer(driver, "c0", question, 11)});
  EXPECT_FALSE(driver.Has<agg_action::Acknowledge>()) << "this one is new";
  EXPECT_TRUE(driver.Has<agg_action::Grant>());
}

TEST_F(BarrierPassesTest, AQuestionThatNobodyNamedIsNotAsked) {
  AggregatorDriver driver(Leading());
  driver.Open();
  driver.Tell(agg_event::PassBegun{{.version = 0, .pass = 1}});
  EXPECT_FALSE(driver.Has<agg_action::SendTask>());
  for (const char* child : {"c0", "c1", "c2"}) driver.Contribute(child);
  driver.Tell(agg_event::PassBegun{{.version = 0, .pass = 2}});
  EXPECT_EQ(driver.core.phase(), Phase::kDelivering);
}

TEST_F(BarrierPassesTest, ANodeWithWorkersAnswersByItselfForThoseThatWereAccepted) {
  AggregatorDriver driver(Answering(NodeRole::kWorker));
  driver.Open();
  driver.Contribute("c0");
  driver.Contribute("c2");
  const agg_action::CloseFold first = driver.Of<agg_action::CloseFold>().at(0);
  driver.Tell(agg_event::Delivered{});
  const Task asked = PassTask(1, first.roster);
  driver.Tell(agg_event::TaskArrived{asked});
  EXPECT_EQ(driver.core.phase(), Phase::kAwaitingModel) << "the question is not here";
  driver.Tell(agg_event::ModelArrived{asked.base});
  EXPECT_FALSE(driver.Has<agg_action::SendTask>());
  const auto closed = driver.Of<agg_action::CloseFold>();
  ASSERT_THAT(closed, SizeIs(1));
  EXPECT_EQ(closed[0].asked, asked.base);
  EXPECT_EQ(closed[0].roster, Roster::Of({4, 6}));
  EXPECT_EQ(closed[0].buckets.at(0).base, VersionRef{}) << "under its first name";
  driver.Tell(agg_event::Delivered{});
  // It was for nothing: its workers have to know.
  driver.Tell(agg_event::Cancelled{1, "another one has failed"});
  EXPECT_THAT(driver.Of<agg_action::SendCancel>(), SizeIs(2));
  driver.Tell(agg_event::Cancelled{1, "heard again"});
  EXPECT_THAT(driver.Of<agg_action::SendCancel>(), IsEmpty());
  driver.Tell(agg_event::TaskArrived{PassTask(2, first.roster)});
  EXPECT_TRUE(driver.Has<agg_action::Abandon>());
}

TEST_F(BarrierPassesTest, WhatCountsForGoodIsNotTakenBack) {
  AggregatorDriver driver(Answering(NodeRole::kWorker));
  driver.Open();
  driver.Contribute("c0");
  driver.Contribute("c2");
  driver.Tell(agg_event::Delivered{});
  driver.Tell(agg_event::Committed{1, {1, 0, 0}});
  EXPECT_THAT(driver.Of<agg_action::SendCommitted>(), SizeIs(3));
  driver.Tell(agg_event::Cancelled{1, "the run ends"});
  EXPECT_THAT(driver.Of<agg_action::SendCancel>(), IsEmpty());
}

TEST_F(BarrierPassesTest, ANodeBetweenPassesQuestionsOnAndWaitsForAll) {
  AggregatorDriver driver(Answering(NodeRole::kAggregator));
  driver.Open();
  driver.Contribute("c0");
  driver.Contribute("c2");  // the quorum
  const Roster both = driver.Of<agg_action::CloseFold>().at(0).roster;
  driver.Tell(agg_event::Delivered{});
  const Task asked = PassTask(1, both);
  driver.Tell(agg_event::ModelArrived{asked.base});
  driver.Tell(agg_event::TaskArrived{asked});
  ASSERT_THAT(driver.Of<agg_action::SendTask>(), SizeIs(2)) << "c1 was too late";
  EXPECT_EQ(driver.Of<agg_action::SendTask>()[1].child, "c2");
  driver.Contribute(Answer(driver, "c0", asked.base, 10));
  EXPECT_FALSE(driver.Has<agg_action::CloseFold>());
  driver.Contribute(Answer(driver, "c2", asked.base, 11));
  EXPECT_TRUE(driver.Has<agg_action::CloseFold>());
}

TEST_F(BarrierPassesTest, QuestionsAboutWhatItDoesNotHoldAreAnsweredSo) {
  const Roster all = Roster::Range(4, 7);
  AggregatorDriver fresh(Answering(NodeRole::kWorker));
  for (const char* child : {"c0", "c1", "c2"}) fresh.Connect(child);
  fresh.Tell(agg_event::TaskArrived{PassTask(1, all)});
  ASSERT_THAT(fresh.Of<agg_action::Abandon>(), SizeIs(1)) << "another life";
  EXPECT_THAT(fresh.Of<agg_action::Abandon>()[0].reason,
              HasSubstr("v0 pass 1 asks about contributions that it does not hold"));
  for (const auto& change :
       {+[](Task& task) { task.base.pass = 2; }, +[](Task& task) { ++task.attempt; },
        +[](Task& task) { task.participants = Roster::Of({4}); }}) {
    AggregatorDriver driver(Answering(NodeRole::kWorker));
    driver.Open();
    driver.Contribute("c0");
    driver.Contribute("c2");
    driver.Tell(agg_event::Delivered{});
    Task asked = PassTask(1, Roster::Of({4, 6}));
    change(asked);
    driver.Tell(agg_event::TaskArrived{asked});
    EXPECT_TRUE(driver.Has<agg_action::Abandon>());
  }
}

// The answer to its partial was lost, and the next pass comes.
TEST_F(BarrierPassesTest, TheNextPassSaysThatTheLastAnswerArrived) {
  AggregatorDriver driver(Answering(NodeRole::kWorker));
  driver.Open();
  driver.Contribute("c0");
  driver.Contribute("c2");
  ASSERT_EQ(driver.core.phase(), Phase::kDelivering);
  const Task asked = PassTask(1, Roster::Of({4, 6}));
  driver.Tell(agg_event::TaskArrived{asked});
  EXPECT_THAT(driver.Of<agg_action::SendCancel>(), IsEmpty());
  driver.Tell(agg_event::TaskArrived{asked});  // heard again
  driver.Tell(agg_event::ModelArrived{asked.base});
  EXPECT_TRUE(driver.Has<agg_action::CloseFold>());
}

TEST_F(BarrierPassesTest, EachLocalRoundHasItsOwn) {
  AggregatorCoreConfig config = Leading();
  config.kappa = 2;
  AggregatorDriver driver(config);
  Task task = TrainTask();
  task.seq_count = 2;
  driver.Open(task);
  for (const char* child : {"c0", "c1", "c2"}) driver.Contribute(driver.UploadOf(child, task));
  const agg_action::CloseFold first = driver.Of<agg_action::CloseFold>().at(0);
  EXPECT_EQ(first.made, (VersionRef{0, 0, 1}));
  driver.Tell(agg_event::PassBegun{first.next_question});
  for (const char* child : {"c0", "c1", "c2"}) {
    driver.Contribute(Answer(driver, child, first.next_question, child[1]));
  }
  EXPECT_EQ(driver.Of<agg_action::CloseFold>().at(0).made, (VersionRef{0, 0, 1}));
  driver.Tell(agg_event::LocalModelMade{{0, 0, 1}});
  ASSERT_EQ(driver.core.phase(), Phase::kCollecting);
  EXPECT_TRUE(driver.Has<agg_action::BeginTask>());
  EXPECT_EQ(driver.Of<agg_action::SendTask>().at(0).task.base, (VersionRef{0, 0, 1}));
  EXPECT_THAT(driver.core.models(), ElementsAre(VersionRef{}, VersionRef{0, 0, 1}));
}

}  // namespace
}  // namespace skein
