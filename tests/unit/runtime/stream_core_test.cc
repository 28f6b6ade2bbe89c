#include <gmock/gmock.h>

#include "runtime/transitions.h"
#include "unit/runtime/stream_driver.h"

namespace skein {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Phase = StreamCore::Phase;
using Into = agg_action::CloseFold::Into;

TEST(StreamCore, AsksEveryChildAtTheStart) {
  StreamRoot root;
  root.Begin();
  EXPECT_THAT(root.tasks, SizeIs(3));
  EXPECT_THAT(root.Of<agg_action::OfferModel>(), SizeIs(3));
  EXPECT_EQ(root.tasks.at("c1").participants, Roster::Range(5, 6));
  EXPECT_EQ(root.tasks.at("c1").base, VersionRef{});
  EXPECT_EQ(root.core.phase(), Phase::kCollecting);
}

TEST(StreamCore, AChildThatHasContributedIsAskedAgainAtOnce) {
  StreamRoot root("buffered", {{"size", 3}});
  root.Begin();
  const Task first = root.tasks.at("c0");
  root.Contribute("c0");
  const Task second = root.tasks.at("c0");
  EXPECT_GT(second.seq_first, first.seq_first);
  EXPECT_EQ(second.base, first.base) << "there is no newer version";
  EXPECT_THAT(root.Of<agg_action::OfferModel>(), IsEmpty()) << "it has the model";
  EXPECT_THAT(root.steps, IsEmpty());
}

TEST(StreamCore, ReportsSayForHowLongAChildHadItsTask) {
  StreamRoot root("buffered", {{"size", 3}});
  root.Begin();
  root.now = std::chrono::seconds(3);
  root.Contribute("c0");
  EXPECT_THAT(root.TaskTimes(), ElementsAre(3.0));
  root.now = std::chrono::seconds(4);
  root.Contribute("c0");
  EXPECT_THAT(root.TaskTimes(), ElementsAre(1.0)) << "it was asked again at once";
  root.now = std::chrono::seconds(6);
  root.Tell(agg_event::ChildFailed{"c1", {TaskKind::kTrain, 1, 0, "no battery", false}});
  EXPECT_THAT(root.TaskTimes(), ElementsAre(6.0));
  root.now = std::chrono::seconds(7);
  root.Contribute("c2");  // makes a version, from which c1 is asked again
  EXPECT_EQ(root.tasks.at("c1").base, (VersionRef{1, 0, 0}));
  root.now = std::chrono::seconds(9);
  root.Contribute("c1");
  EXPECT_THAT(root.TaskTimes(), ElementsAre(2.0));
}

TEST(StreamCore, AFullBufferMakesAVersionAndTheLastChildStartsFromIt) {
  StreamRoot root;
  root.Begin();
  root.Contribute("c0");
  root.Contribute("c1");
  ASSERT_THAT(root.steps, SizeIs(1));
  const auto& step = root.steps[0];
  EXPECT_EQ(step.into, Into::kVersion);
  EXPECT_EQ(step.made, (VersionRef{1, 0, 0}));
  EXPECT_EQ(step.roster, Roster::Range(4, 6));
  ASSERT_THAT(step.buckets, SizeIs(1));
  EXPECT_EQ(step.buckets[0].updates, 2u);
  EXPECT_EQ(step.buckets[0].staleness_weight, 1);
  EXPECT_EQ(root.tasks.at("c1").base, (VersionRef{1, 0, 0}));
  EXPECT_EQ(root.tasks.at("c1").round, 2u);
}

TEST(StreamCore, ContributionsToOlderVersionsAreKeptApartAndWeighed) {
  StreamRoot root;
  root.Begin();
  root.Contribute("c0");
  root.Contribute("c1");  // makes 1
  root.Contribute("c2");  // from 0
  root.Contribute("c1");  // from 1
  ASSERT_THAT(root.steps, SizeIs(2));
  const auto& buckets = root.steps[1].buckets;
  ASSERT_THAT(buckets, SizeIs(2));
  EXPECT_EQ(buckets[0].base, VersionRef{});
  EXPECT_EQ(buckets[0].roster, Roster::Range(6, 7));
  EXPECT_EQ(buckets[0].staleness_weight, 0.5);
  EXPECT_EQ(buckets[1].base, (VersionRef{1, 0, 0}));
  EXPECT_EQ(buckets[1].staleness_weight, 1);
}

TEST(StreamCore, WhatIsTooStaleIsRefusedAndTheChildAskedAnew) {
  StreamRoot root("every_update", {});
  root.Begin();
  for (int i = 0; i < 4; ++i) root.Contribute("c0");  // four versions
  const Task old = root.tasks.at("c2");
  root.TellAll(agg_event::UploadOffered{root.Answer("c2")});
  ASSERT_THAT(root.Of<agg_action::Acknowledge>(), SizeIs(1));
  EXPECT_THAT(Message(root.Of<agg_action::Acknowledge>()[0].status), HasSubstr("4 versions old"));
  EXPECT_THAT(root.Reported(), ElementsAre("update_rejected c2"));
  EXPECT_EQ(root.tasks.at("c2").base, (VersionRef{4, 0, 0}));
  EXPECT_GT(root.tasks.at("c2").seq_first, old.seq_first);
}

TEST(StreamCore, WhatHasBecomeTooStaleOnItsWayIsRefused) {
  StreamRoot root("every_update", {});
  root.Begin();
  const UploadInfo slow = root.Answer("c2");
  root.Tell(agg_event::UploadOffered{slow});
  ASSERT_THAT(root.Of<agg_action::Grant>(), SizeIs(1));
  for (int i = 0; i < 4; ++i) root.Contribute("c0");  // four versions
  root.TellAll(agg_event::UploadStaged{slow.id});
  EXPECT_THAT(root.Of<agg_action::Fold>(), IsEmpty());
  ASSERT_THAT(root.Of<agg_action::Acknowledge>(), SizeIs(1));
  EXPECT_THAT(Message(root.Of<agg_action::Acknowledge>()[0].status), HasSubstr("4 versions old"));
  EXPECT_THAT(root.Reported(), ElementsAre("update_rejected c2"));
  EXPECT_EQ(root.tasks.at("c2").base, (VersionRef{4, 0, 0}));
}

TEST(StreamCore, TheLastVersionEndsTheWork) {
  StreamRoot root("every_update", {});
  root.Begin(2);
  root.Contribute("c0");
  EXPECT_EQ(root.core.phase(), Phase::kCollecting);
  root.Contribute("c1");
  EXPECT_THAT(root.steps, SizeIs(2));
  EXPECT_EQ(root.core.phase(), Phase::kIdle);
  EXPECT_THAT(root.Of<agg_action::SendCancel>(), SizeIs(2)) << "c1 was not asked again";
}

TEST(StreamCore, ARootThatIsCancelledEndsItsWork) {
  StreamRoot root;
  root.Begin();
  root.Contribute("c0");
  root.TellAll(agg_event::Cancelled{TrainTask().round, "it is enough"});
  EXPECT_EQ(root.core.phase(), Phase::kIdle);
  EXPECT_THAT(root.steps, IsEmpty()) << "what was collected is void";
  const auto cancels = root.Of<agg_action::SendCancel>();
  ASSERT_THAT(cancels, SizeIs(3));
  EXPECT_EQ(cancels[0].cancel.reason, "it is enough");
  root.TellAll(agg_event::UploadOffered{root.Answer("c1")});
  ASSERT_THAT(root.Of<agg_action::Acknowledge>(), SizeIs(1));
  EXPECT_FALSE(root.Of<agg_action::Acknowledge>()[0].status.ok());
}

TEST(StreamCore, AnotherPolicyHoldsFromTheNextEventOn) {
  StreamRoot root("buffered", {{"size", 3}});
  root.Begin();
  root.Contribute("c0");
  root.Contribute("c1");
  EXPECT_THAT(root.steps, IsEmpty());
  root.core.set_policy(PolicyOf("buffered", {{"size", 2}}));
  root.TellAll(agg_event::Tick{});
  EXPECT_THAT(root.steps, SizeIs(1));
}

TEST(StreamCore, EverybodyAtOnceIsOneSynchronousRound) {
  StreamRoot root("buffered", {{"size", 3}});
  root.Begin();
  // All arrive at the same moment, before time goes on.
  for (const char* child : {"c0", "c1", "c2"}) {
    const UploadInfo info = root.Answer(child);
    root.Tell(agg_event::UploadOffered{info});
    root.Tell(agg_event::UploadStaged{info.id});
    if (std::string(child) == "c2") {
      root.TellAll(agg_event::UploadFolded{info.id, absl::OkStatus()});
    } else {
      root.Tell(agg_event::UploadFolded{info.id, absl::OkStatus()});
    }
  }
  ASSERT_THAT(root.steps, SizeIs(1));
  for (const char* child : {"c0", "c1", "c2"}) {
    EXPECT_EQ(root.tasks.at(child).base, (VersionRef{1, 0, 0})) << child;
  }
}

TEST(StreamCore, AChildThatFailsIsAskedAgainFromTheNextVersion) {
  StreamRoot root;
  root.Begin();
  const Task task = root.tasks.at("c2");
  root.TellAll(agg_event::ChildFailed{"c2", {task.kind, task.round, 0, "out of memory", false}});
  EXPECT_THAT(root.Reported(), ElementsAre("worker_left_out c2"));
  EXPECT_EQ(root.tasks.at("c2").seq_first, task.seq_first) << "not from the same one";
  root.Contribute("c0");
  root.Contribute("c1");
  EXPECT_EQ(root.tasks.at("c2").base, (VersionRef{1, 0, 0}));
}

TEST(StreamCore, GivesUpWhenNobodyIsLeft) {
  StreamRoot root;
  root.Begin();
  for (const char* child : {"c0", "c1", "c2"}) {
    root.TellAll(agg_event::ChildLost{child, 1, "silent"});
  }
  ASSERT_THAT(root.Of<agg_action::Abandon>(), SizeIs(1));
  EXPECT_THAT(root.Of<agg_action::Abandon>()[0].reason, HasSubstr("no child is left"));
  EXPECT_THAT(root.Of<agg_action::Abandon>()[0].reason, HasSubstr("silent"));
  EXPECT_EQ(root.Of<agg_action::Abandon>()[0].task.round, 1u);
}

// Children that hang are never heard of again.
TEST(StreamCore, GivesUpWhenNobodyHasContributedForLong) {
  for (const auto& [policy, params] :
       std::vector<std::pair<std::string, ValueMap>>{{"buffered", {{"size", 2}}},
                                                     {"every_update", {}},
                                                     {"interval", {{"period_s", 5}}},
                                                     {"tiered", {{"groups", 2}}},
                                                     {"fedcompass", {}}}) {
    SCOPED_TRACE(policy);
    ValueMap with_timeout = params;
    with_timeout["timeout_s"] = 50;
    StreamRoot root(policy, with_timeout);
    root.Begin();
    root.At(seconds(49));
    EXPECT_EQ(root.core.phase(), Phase::kCollecting);
    root.At(seconds(50));
    EXPECT_EQ(root.core.phase(), Phase::kHolding);
    EXPECT_THAT(root.given_up, Contains(HasSubstr("no child has contributed for 50 s")));
  }
}

TEST(StreamCore, AStepIsMadeOfWhatThereIsBeforeItGivesUp) {
  StreamRoot root("buffered", {{"size", 3}, {"timeout_s", 50}});
  root.Begin();
  root.At(seconds(30));
  root.Contribute("c0");
  root.At(seconds(79));
  EXPECT_THAT(root.steps, IsEmpty()) << "one has been heard of 49 s ago";
  root.At(seconds(80));
  ASSERT_THAT(root.steps, SizeIs(1));
  EXPECT_EQ(root.steps[0].buckets.at(0).updates, 1u);
  EXPECT_EQ(root.core.phase(), Phase::kHolding);
  EXPECT_THAT(root.given_up, SizeIs(1));
}

TEST(StreamCore, AParentThatAsksAgainIsGivenAsLong) {
  StreamRoot gateway(StreamConfig("buffered", {{"size", 2}, {"timeout_s", 50}}, 1));
  gateway.Begin();
  gateway.At(seconds(50));
  ASSERT_THAT(gateway.given_up, SizeIs(1));
  gateway.At(seconds(70));
  Task again = TrainTask();
  again.round = 2;
  gateway.TellAll(agg_event::TaskArrived{again, 0});
  EXPECT_EQ(gateway.core.phase(), Phase::kCollecting);
  gateway.At(seconds(119));
  EXPECT_THAT(gateway.given_up, SizeIs(1));
  gateway.At(seconds(120));
  EXPECT_THAT(gateway.given_up, SizeIs(2));
}

TEST(StreamCore, WhatItGivesUpIsTheNextVersion) {
  StreamRoot root("every_update", {});
  root.Begin();
  root.Contribute("c0");
  root.Contribute("c0");
  EXPECT_EQ(root.steps[1].task.round, 2u);
  for (const char* child : {"c0", "c1", "c2"}) {
    root.TellAll(agg_event::ChildLost{child, 1, "silent"});
  }
  ASSERT_THAT(root.Of<agg_action::Abandon>(), SizeIs(1));
  EXPECT_EQ(root.Of<agg_action::Abandon>()[0].task.round, 3u) << "not the plan's";
}

TEST(StreamCore, AReconnectedChildHearsOfItsTaskAgain) {
  StreamRoot root;
  root.Begin();
  const Task task = root.tasks.at("c0");
  root.TellAll(agg_event::ChildDown{"c0", 1});
  root.TellAll(agg_event::ChildUp{"c0", 1});
  ASSERT_THAT(root.Of<agg_action::SendTask>(), SizeIs(1));
  EXPECT_TRUE(IsSameTask(root.Of<agg_action::SendTask>()[0].task, task));
  EXPECT_THAT(root.Of<agg_action::OfferModel>(), SizeIs(1));
}

TEST(StreamCore, AReconnectedChildWhoseModelIsGoneGetsANewTask) {
  StreamRoot root("every_update", {});
  root.Begin();
  root.TellAll(agg_event::ChildDown{"c2", 1});
  root.Contribute("c0");
  root.TellAll(agg_event::ChildUp{"c2", 1});
  EXPECT_EQ(root.tasks.at("c2").base, (VersionRef{1, 0, 0}));
}

TEST(StreamCore, AnAnswerThatIsOfferedAgainCountsOnce) {
  StreamRoot root("buffered", {{"size", 3}});
  root.Begin();
  const UploadInfo info = root.Answer("c0");
  root.Tell(agg_event::UploadOffered{info});
  root.Tell(agg_event::UploadStaged{info.id});
  root.Tell(agg_event::UploadFolded{info.id, absl::OkStatus()});
  UploadInfo again = info;
  again.id.transfer += 1000;
  root.TellAll(agg_event::UploadOffered{again});  // the acknowledgment was lost
  ASSERT_THAT(root.Of<agg_action::Acknowledge>(), SizeIs(1));
  EXPECT_TRUE(root.Of<agg_action::Acknowledge>()[0].status.ok());
  again.id.transfer += 1000;
  root.TellAll(agg_event::UploadOffered{again});  // and it has been asked again since
  ASSERT_THAT(root.Of<agg_action::Acknowledge>(), SizeIs(1));
  EXPECT_TRUE(root.Of<agg_action::Acknowledge>()[0].status.ok());
  EXPECT_THAT(root.Of<agg_action::Fold>(), IsEmpty());
  EXPECT_THAT(root.Of<agg_action::Grant>(), IsEmpty());
}

TEST(StreamCore, WhatWasNotCountedIsNotAcknowledged) {
  StreamRoot root("every_update", {});
  root.Begin();
  const UploadInfo info = root.Answer("c2");
  root.TellAll(agg_event::ChildDown{"c2", 1});
  root.Contribute("c0");  // the model of c2 is gone
  root.Tell(agg_event::ChildUp{"c2", 1});
  root.Tell(agg_event::UploadOffered{info});  // before it is asked anew
  ASSERT_THAT(root.Of<agg_action::Acknowledge>(), SizeIs(1));
  EXPECT_FALSE(root.Of<agg_action::Acknowledge>()[0].status.ok());
}

TEST(StreamCore, UploadsAreFoldedWholeIntoTheStepThatIsOpenThen) {
  StreamRoot root;
  root.Begin();
  const UploadInfo slow = root.Answer("c2");
  root.Tell(agg_event::UploadOffered{slow});
  ASSERT_THAT(root.Of<agg_action::Grant>(), SizeIs(1));
  EXPECT_FALSE(root.Of<agg_action::Grant>()[0].early);
  root.Contribute("c0");
  root.Contribute("c1");
  ASSERT_THAT(root.Of<agg_action::OpenBucket>(), SizeIs(1)) << "the step has taken it";
  ASSERT_THAT(root.steps, SizeIs(1));
  EXPECT_EQ(root.steps[0].roster, Roster::Range(4, 6));
  root.Tell(agg_event::UploadStaged{slow.id});
  root.TellAll(agg_event::UploadFolded{slow.id, absl::OkStatus()});
  root.Contribute("c0");
  ASSERT_THAT(root.steps, SizeIs(2));
  EXPECT_EQ(root.steps[1].roster, Roster::Of({4, 6}));
}

TEST(StreamCore, ADeadlineMakesAShortStep) {
  StreamRoot root("buffered", {{"size", 3}, {"max_wait_s", 10}});
  root.Begin();
  root.Contribute("c0");
  root.now = seconds(10);
  root.TellAll(agg_event::Tick{});
  ASSERT_THAT(root.steps, SizeIs(1));
  EXPECT_EQ(root.steps[0].buckets.at(0).updates, 1u);
}

// ---- bases ----

TEST(StreamCore, OldModelsAreKeptForThoseWhoTrainFromThem) {
  AggregatorCoreConfig config = StreamConfig("every_update", {}, 0);
  config.bases_kept = 10;
  StreamRoot root(std::move(config));
  root.Begin();
  root.Contribute("c0");
  root.Contribute("c0");
  root.Contribute("c1");
  EXPECT_THAT(root.core.models(),
              ElementsAre(VersionRef{}, VersionRef{2, 0, 0}, VersionRef{3, 0, 0}))
      << "c2 has 0, c0 has 2, c1 has 3";
  root.Contribute("c2");
  EXPECT_THAT(root.Of<agg_action::CloseFold>().at(0).buckets.at(0).base, VersionRef{});
}

TEST(StreamCore, NoMoreModelsAreKeptThanWereAskedFor) {
  AggregatorCoreConfig config = StreamConfig("every_update", {}, 0);
  config.bases_kept = 2;
  StreamRoot root(std::move(config));
  root.Begin();
  root.Contribute("c0");
  root.Contribute("c0");
  root.Contribute("c1");
  EXPECT_THAT(root.core.models(), ElementsAre(VersionRef{2, 0, 0}, VersionRef{3, 0, 0}));
  const Task old = root.tasks.at("c2");
  root.TellAll(agg_event::UploadOffered{root.Answer("c2")});
  ASSERT_THAT(root.Of<agg_action::Acknowledge>(), SizeIs(1));
  EXPECT_THAT(Message(root.Of<agg_action::Acknowledge>()[0].status),
              HasSubstr("is no longer kept"));
  EXPECT_THAT(root.Reported(), ElementsAre("update_rejected c2"));
  EXPECT_GT(root.tasks.at("c2").seq_first, old.seq_first) << "it is asked anew";
}

TEST(StreamCore, TheModelOfAnUploadUnderWayIsNotDropped) {
  AggregatorCoreConfig config = StreamConfig("every_update", {}, 0);
  config.bases_kept = 1;
  StreamRoot root(std::move(config));
  root.Begin();
  const UploadInfo slow = root.Answer("c2");
  root.Tell(agg_event::UploadOffered{slow});
  root.Contribute("c0");
  EXPECT_THAT(root.core.models(), Contains(VersionRef{}));
  root.Tell(agg_event::UploadStaged{slow.id});
  root.TellAll(agg_event::UploadFolded{slow.id, absl::OkStatus()});
  EXPECT_THAT(root.steps, SizeIs(2));
}

TEST(StreamCore, EveryPhaseChangeIsDeclared) {
  EXPECT_EQ(Declared(StreamCore::Transitions(), Phase::kIdle, Phase::kCollecting),
            Phase::kCollecting);
  EXPECT_DEATH(Declared(StreamCore::Transitions(), Phase::kIdle, Phase::kDelivering), "");
}

}  // namespace
}  // namespace skein
