#include "runtime/stream_core.h"

#include <gmock/gmock.h>

#include "runtime/transitions.h"
#include "unit/runtime/aggregator_driver.h"

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

class FixedStaleness : public Staleness {
 public:
  double Weight(uint64_t staleness) const override { return 1 / (1.0 + staleness); }
  uint64_t Max() const override { return 3; }
};

AggregatorCoreConfig StreamConfig(const std::string& policy, const ValueMap& params, int tier,
                                  NodeRole children = NodeRole::kWorker) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf(policy, params), children);
  config.view.tier = tier;
  config.staging_bytes = 1000;
  config.staleness = std::make_shared<FixedStaleness>();
  return config;
}

// A coordinator that makes versions, as its shell does: at once.
class StreamRoot : public CoreDriver<StreamCore> {
 public:
  explicit StreamRoot(const std::string& policy = "buffered",
                      const ValueMap& params = {{"size", 2}}, NodeRole children = NodeRole::kWorker)
      : StreamRoot(StreamConfig(policy, params, 0, children)) {}
  explicit StreamRoot(AggregatorCoreConfig config) : CoreDriver(std::move(config)) {}

  // Time passes, and the core is woken when it asked to be.
  void At(Time to) {
    while (!timers.empty() && *timers.begin() <= to) {
      now = std::max(now, *timers.begin());
      timers.erase(timers.begin());
      TellAll(agg_event::Tick{});
    }
    now = to;
  }
  void Begin(uint64_t last_version = 100) {
    for (const char* child : {"c0", "c1", "c2"}) Connect(child);
    Tell(agg_event::ModelArrived{VersionRef{}});
    TellAll(agg_event::TaskArrived{TrainTask(), last_version});
  }
  // The event, and what the shell makes of a step; keeps the tasks and all that was done.
  void TellAll(const AggregatorEvent& event) {
    std::vector<AggregatorAction> done;
    std::deque<AggregatorEvent> events = {event};
    while (!events.empty()) {
      Tell(events.front());
      events.pop_front();
      for (const AggregatorAction& action : last) {
        done.push_back(action);
        if (const auto* close = std::get_if<agg_action::CloseFold>(&action)) {
          steps.push_back(*close);
          events.push_back(agg_event::ModelArrived{close->made});
          events.push_back(agg_event::Delivered{});
        } else if (const auto* send = std::get_if<agg_action::SendTask>(&action)) {
          tasks[send->child] = send->task;
        }
      }
      if (events.empty() && !timers.empty() && *timers.begin() <= now) {
        timers.erase(timers.begin());
        events.push_back(agg_event::Tick{});
      }
    }
    last = std::move(done);
  }
  UploadInfo Answer(const NodeId& child) const {
    UploadInfo info = UploadOf(child, tasks.at(child), tasks.at(child).seq_first);
    return info;
  }
  void Contribute(const NodeId& child) { Contribute(Answer(child)); }
  void Contribute(const UploadInfo& info) {
    Tell(agg_event::UploadOffered{info});
    Tell(agg_event::UploadStaged{info.id});
    TellAll(agg_event::UploadFolded{info.id, absl::OkStatus()});
  }

  std::map<NodeId, Task> tasks;
  std::vector<agg_action::CloseFold> steps;
};

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
  EXPECT_FALSE(root.Of<agg_action::Acknowledge>()[0].status.ok());
  EXPECT_THAT(root.Of<agg_action::Fold>(), IsEmpty());
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

// ---- schedules ----

// Updates of a step, by their bases.
using OfBase = std::pair<uint64_t, uint64_t>;
std::vector<OfBase> BasesOf(const agg_action::CloseFold& step) {
  std::vector<OfBase> bases;
  for (const auto& bucket : step.buckets) {
    bases.emplace_back(bucket.base.version, bucket.updates);
  }
  return bases;
}

// The trace of compass_schedule_test.cc, as far as the staleness goes that is allowed here: c0
// takes 0.1 s for a step and c1 0.2.
class StreamCompass : public StreamRoot {
 public:
  StreamCompass()
      : StreamRoot(
            "fedcompass",
            {{"q_min", 20}, {"q_max", 100}, {"speed_momentum", 1.0}, {"latest_time_factor", 1.2}}) {
  }
  void To32() {
    Begin();
    At(seconds(10));
    Contribute("c0");
    At(seconds(20));
    Contribute("c1");
    Contribute("c0");
    At(seconds(30));
    Contribute("c0");
    At(seconds(32));
  }
};

TEST(StreamCompass, ChildrenGetTheStepsThatTheirSpeedAllows) {
  StreamCompass root;
  root.Begin();
  for (const char* child : {"c0", "c1", "c2"}) EXPECT_EQ(root.tasks.at(child).steps, 100u);
  root.At(seconds(10));
  root.Contribute("c0");
  EXPECT_THAT(root.steps, SizeIs(1)) << "it had no group";
  EXPECT_EQ(root.tasks.at("c0").steps, 100u);
  root.At(seconds(20));
  root.Contribute("c1");
  EXPECT_EQ(root.tasks.at("c1").steps, 60u);
  EXPECT_EQ(root.tasks.at("c1").base.version, 2u);
  root.Contribute("c0");
  EXPECT_EQ(root.tasks.at("c0").steps, 100u);
  root.At(seconds(30));
  root.Contribute("c0");
  EXPECT_EQ(root.tasks.at("c0").steps, 20u) << "it joins c1";
  EXPECT_EQ(root.tasks.at("c0").base.version, 4u);
}

TEST(StreamCompass, WhoIsEarlyWaitsForItsGroup) {
  StreamCompass root;
  root.To32();
  const Task task = root.tasks.at("c1");
  root.Contribute("c1");
  EXPECT_THAT(root.steps, SizeIs(4)) << "c0 is expected";
  EXPECT_EQ(root.tasks.at("c1").seq_first, task.seq_first) << "and c1 is not asked before";
  root.Contribute("c0");
  ASSERT_THAT(root.steps, SizeIs(5));
  EXPECT_THAT(BasesOf(root.steps[4]), ElementsAre(OfBase{2, 1}, OfBase{4, 1}));
  EXPECT_EQ(root.steps[4].buckets[0].staleness_weight, 1.0 / 3);
  EXPECT_EQ(root.tasks.at("c0").steps, 100u);
  EXPECT_EQ(root.tasks.at("c1").steps, 50u);
  EXPECT_EQ(root.tasks.at("c1").base.version, 5u);
}

TEST(StreamCompass, AGroupThatIsNotCompleteMakesItsStepAtItsLatestTime) {
  StreamCompass root;
  root.To32();
  root.Contribute("c1");
  root.At(seconds(34));
  EXPECT_THAT(root.steps, SizeIs(4));
  root.At(seconds(35));
  ASSERT_THAT(root.steps, SizeIs(5));
  EXPECT_THAT(BasesOf(root.steps[4]), ElementsAre(OfBase{2, 1}));
  root.Contribute("c0");  // late
  EXPECT_THAT(root.steps, SizeIs(5)) << "it waits in the general buffer";
  EXPECT_EQ(root.tasks.at("c0").base.version, 5u) << "and is asked at once";
  root.At(seconds(60));
  root.Contribute("c1");
  root.Contribute("c0");
  root.At(seconds(500));
  uint64_t updates = 0;
  for (const auto& step : root.steps) {
    for (const auto& bucket : step.buckets) updates += bucket.updates;
  }
  EXPECT_EQ(updates, 8u) << "each counts once";
}

TEST(StreamCompass, ALostMemberIsNotWaitedFor) {
  StreamCompass root;
  root.To32();
  root.Contribute("c1");
  root.TellAll(agg_event::ChildLost{"c0", 1, "silent"});
  ASSERT_THAT(root.steps, SizeIs(5));
  EXPECT_THAT(BasesOf(root.steps[4]), ElementsAre(OfBase{2, 1}));
}

TEST(StreamCompass, AFailedMemberIsAskedAgainFromTheNextVersion) {
  StreamCompass root;
  root.To32();
  const Task task = root.tasks.at("c0");
  root.TellAll(agg_event::ChildFailed{"c0", {task.kind, task.round, 0, "out of memory", false}});
  root.Contribute("c1");
  ASSERT_THAT(root.steps, SizeIs(5));
  EXPECT_EQ(root.tasks.at("c0").base.version, 5u);
}

TEST(StreamCompass, WhoWaitsForItsGroupAndIsLostCountsAndComesBack) {
  StreamCompass root;
  root.To32();
  root.Contribute("c1");
  root.TellAll(agg_event::ChildLost{"c1", 1, "silent"});
  root.Contribute("c0");
  ASSERT_THAT(root.steps, SizeIs(5));
  EXPECT_THAT(BasesOf(root.steps[4]), ElementsAre(OfBase{2, 1}, OfBase{4, 1}));
  const Task task = root.tasks.at("c1");
  root.Connect("c1", 2);
  root.At(seconds(33));
  EXPECT_GT(root.tasks.at("c1").seq_first, task.seq_first);
}

TEST(StreamCompass, AReconnectedMemberKeepsItsTaskAndItsGroup) {
  StreamRoot root("fedcompass", {});
  root.Begin();
  const Task task = root.tasks.at("c0");
  root.TellAll(agg_event::ChildDown{"c0", 1});
  root.TellAll(agg_event::ChildUp{"c0", 1});
  ASSERT_THAT(root.Of<agg_action::SendTask>(), SizeIs(1));
  EXPECT_TRUE(IsSameTask(root.Of<agg_action::SendTask>()[0].task, task));
  EXPECT_EQ(root.Of<agg_action::SendTask>()[0].task.steps, 100u);
}

TEST(StreamCompass, GivesUpWhenNobodyIsLeft) {
  StreamRoot root("fedcompass", {});
  root.Begin();
  for (const char* child : {"c0", "c1", "c2"}) {
    root.TellAll(agg_event::ChildLost{child, 1, "silent"});
  }
  ASSERT_THAT(root.Of<agg_action::Abandon>(), SizeIs(1));
  EXPECT_THAT(root.Of<agg_action::Abandon>()[0].reason, HasSubstr("no child is left"));
}

// c0 and c1 take 1 s, c2 takes 9.
TEST(StreamTiered, GroupsMakeTheirStepsApart) {
  StreamRoot root("tiered", {{"groups", 2}, {"patience", 2.0}});
  root.Begin();
  root.At(seconds(1));
  root.Contribute("c0");
  root.Contribute("c1");
  EXPECT_THAT(root.steps, SizeIs(0)) << "the first round is everybody's";
  root.At(seconds(2));
  ASSERT_THAT(root.steps, SizeIs(1)) << "but patience is limited";
  for (int second = 3; second <= 4; ++second) {
    root.At(seconds(second));
    root.Contribute("c0");
    const size_t before = root.steps.size();
    root.Contribute("c1");
    EXPECT_THAT(root.steps, SizeIs(before + 1)) << "the quick ones, together";
  }
  root.At(seconds(4) + std::chrono::milliseconds(500));
  root.Contribute("c0");
  const size_t before = root.steps.size();
  root.Contribute("c2");  // from version 0, which is 3 versions ago
  ASSERT_THAT(root.steps, SizeIs(before + 1)) << "c2 by itself";
  EXPECT_THAT(BasesOf(root.steps.back()), ElementsAre(OfBase{0, 1}));
  EXPECT_EQ(root.steps.back().roster, Roster::Range(6, 7));
  root.Contribute("c1");
  EXPECT_EQ(root.steps.back().roster, Roster::Range(4, 6)) << "c0 was left where it was";
  EXPECT_LT(root.steps.back().weight, 1.0) << "the quick group has made more steps";
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

// ---- an inner node ----

class StreamGateway : public CoreDriver<StreamCore> {
 public:
  StreamGateway() : CoreDriver(StreamConfig("buffered", {{"size", 2}}, 1)) {}
  void Begin() {
    Open();
    Wake();
  }
  void Wake() {
    std::vector<AggregatorAction> done = last;
    while (!timers.empty() && *timers.begin() <= now) {
      timers.erase(timers.begin());
      Tell(agg_event::Tick{});
      done.insert(done.end(), last.begin(), last.end());
    }
    last = std::move(done);
    for (const auto& send : Of<agg_action::SendTask>()) tasks[send.child] = send.task;
  }
  void Answer(const NodeId& child) {
    Contribute(UploadOf(child, tasks.at(child), tasks.at(child).seq_first));
    const auto closed = Of<agg_action::CloseFold>();
    steps.insert(steps.end(), closed.begin(), closed.end());
    Wake();
  }
  std::map<NodeId, Task> tasks;
  std::vector<agg_action::CloseFold> steps;
};

TEST(StreamGateway, StepsOfItsTaskAreItsChildrens) {
  StreamGateway gateway;
  Task task = TrainTask();
  task.steps = 30;
  gateway.Open(task);
  gateway.Wake();
  EXPECT_EQ(gateway.tasks.at("c1").steps, 30u);
}

TEST(StreamGateway, AnswersItsTaskOnceAndHoldsWhatComesAfter) {
  StreamGateway gateway;
  gateway.Begin();
  gateway.Answer("c0");
  gateway.Answer("c1");
  ASSERT_THAT(gateway.steps, SizeIs(1));
  EXPECT_EQ(gateway.steps[0].into, Into::kPartial);
  EXPECT_EQ(gateway.core.phase(), Phase::kDelivering);
  gateway.Answer("c0");
  gateway.Answer("c1");
  gateway.Tell(agg_event::Delivered{});
  EXPECT_EQ(gateway.core.phase(), Phase::kHolding);
  gateway.Answer("c2");
  EXPECT_THAT(gateway.steps, SizeIs(1));

  // The next task brings a step at once: enough has come.
  gateway.Tell(agg_event::ModelArrived{{1, 0, 0}});
  gateway.Tell(agg_event::TaskArrived{TrainTask(2)});
  const auto closed = gateway.Of<agg_action::CloseFold>();
  ASSERT_THAT(closed, SizeIs(1));
  EXPECT_EQ(closed[0].buckets.at(0).base, VersionRef{});
  EXPECT_EQ(closed[0].buckets.at(0).updates, 3u);
  EXPECT_EQ(closed[0].task.round, 2u);
}

TEST(StreamGateway, ItsChildrenWorkOnWhileItHolds) {
  StreamGateway gateway;
  gateway.Begin();
  gateway.Answer("c0");
  gateway.Answer("c1");
  gateway.Tell(agg_event::Delivered{});
  const Seq before = gateway.tasks.at("c0").seq_first;
  gateway.Answer("c0");
  EXPECT_GT(gateway.tasks.at("c0").seq_first, before);
}

TEST(StreamGateway, ACancelledTaskKeepsWhatWasCollected) {
  StreamGateway gateway;
  gateway.Begin();
  gateway.Answer("c0");
  gateway.Tell(agg_event::Cancelled{1, "the round closed without it"});
  EXPECT_EQ(gateway.core.phase(), Phase::kHolding);
  gateway.Tell(agg_event::ModelArrived{{1, 0, 0}});
  gateway.Tell(agg_event::TaskArrived{TrainTask(2)});
  gateway.Answer("c1");
  ASSERT_THAT(gateway.steps, SizeIs(1));
  EXPECT_EQ(gateway.steps[0].roster, Roster::Range(4, 6));
}

TEST(StreamGateway, AThirdBaseMakesAStepOrWaitsForOne) {
  StreamGateway gateway;
  gateway.Begin();
  gateway.Answer("c0");  // from 0
  for (uint64_t version : {1u, 2u}) {
    gateway.Tell(agg_event::ModelArrived{{version, 0, 0}});
  }
  // c0 trains from 0 still; the others too.
  gateway.Tell(agg_event::Cancelled{1, "late"});
  EXPECT_EQ(gateway.core.phase(), Phase::kHolding);
  gateway.Answer("c0");  // from 0 again
  EXPECT_EQ(gateway.tasks.at("c0").base, (VersionRef{2, 0, 0}));
}

TEST(StreamGateway, AChildThatWasLostBeforeItWasAskedIsNotWaitedFor) {
  StreamGateway before_task;
  before_task.Connect("c0");
  before_task.Tell(agg_event::ModelArrived{VersionRef{}});
  for (const char* child : {"c0", "c1", "c2"}) {
    before_task.Tell(agg_event::ChildLost{child, 1, "silent"});
  }
  before_task.Tell(agg_event::TaskArrived{TrainTask()});
  EXPECT_TRUE(before_task.Has<agg_action::Abandon>());

  StreamGateway before_model;
  before_model.Connect("c0");
  before_model.Tell(agg_event::TaskArrived{TrainTask()});
  for (const char* child : {"c0", "c1", "c2"}) {
    before_model.Tell(agg_event::ChildLost{child, 1, "silent"});
  }
  before_model.Tell(agg_event::ModelArrived{VersionRef{}});
  EXPECT_TRUE(before_model.Has<agg_action::Abandon>());
  // It comes back: it is asked, for the parent's next task.
  before_model.Connect("c1", 2);
  before_model.Wake();
  EXPECT_THAT(before_model.tasks, ElementsAre(::testing::Key("c1")));
}

TEST(StreamGateway, AParentThatHasNotHeardOfAFailureHearsOfItAgain) {
  StreamGateway gateway;
  gateway.Begin();
  for (const char* child : {"c0", "c1", "c2"}) {
    gateway.Tell(agg_event::ChildLost{child, 1, "silent"});
  }
  ASSERT_TRUE(gateway.Has<agg_action::Abandon>());
  gateway.Tell(agg_event::TaskArrived{TrainTask()});
  EXPECT_TRUE(gateway.Has<agg_action::Abandon>());
  // Unless there is somebody again.
  gateway.Connect("c0", 2);
  gateway.Wake();
  gateway.Tell(agg_event::TaskArrived{TrainTask()});
  EXPECT_FALSE(gateway.Has<agg_action::Abandon>());
  EXPECT_EQ(gateway.core.phase(), Phase::kCollecting);
}

TEST(StreamGateway, AChildWhoseModelWasLostOnItsWayStartsFromTheNext) {
  StreamGateway gateway;
  gateway.Begin();
  gateway.Answer("c0");
  gateway.Tell(agg_event::ModelArrived{{1, 0, 0}});
  gateway.Answer("c1");
  ASSERT_EQ(gateway.tasks.at("c1").base.version, 1u);
  const Seq seq = gateway.tasks.at("c1").seq_first;
  gateway.Tell(agg_event::ModelLost{{1, 0, 0}});
  gateway.Tell(agg_event::ModelArrived{{2, 0, 0}});
  gateway.Wake();
  EXPECT_EQ(gateway.tasks.at("c1").base.version, 2u);
  EXPECT_GT(gateway.tasks.at("c1").seq_first, seq);
  EXPECT_EQ(gateway.tasks.at("c2").base.version, 0u) << "it has its model";
}

TEST(StreamGateway, ACommitAboveTakesNothingFromItsChildren) {
  StreamGateway gateway;
  gateway.Begin();
  gateway.Tell(agg_event::Committed{1, {1, 0, 0}});
  EXPECT_THAT(gateway.Of<agg_action::SendCommitted>(), IsEmpty())
      << "workers would drop updates of round 1 that have not been sent yet";
}

TEST(StreamGateway, TasksOfAnEarlierLifeHaveOtherNumbers) {
  std::set<Seq> seen;
  Task task = TrainTask();
  for (Epoch life = 1; life <= 3; ++life) {
    StreamGateway gateway;
    for (const char* child : {"c0", "c1", "c2"}) gateway.Connect(child);
    gateway.Tell(agg_event::ModelArrived{task.base});
    gateway.Tell(agg_event::TaskArrived{task, 0, life});
    gateway.Wake();
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(seen.insert(gateway.tasks.at("c0").seq_first).second) << "life " << life;
      gateway.Answer("c0");
    }
    ++task.seq_first;  // the parent asks once in each
  }
}

// Children at work from 0, 1 and 2.
void AskFromThreeVersions(StreamGateway& gateway) {
  gateway.Begin();
  gateway.Tell(agg_event::ModelArrived{{1, 0, 0}});
  gateway.Answer("c1");
  gateway.Tell(agg_event::ModelArrived{{2, 0, 0}});
  gateway.Answer("c2");
  ASSERT_THAT(gateway.steps, SizeIs(1));
  ASSERT_EQ(gateway.tasks.at("c0").base.version, 0u);
  ASSERT_EQ(gateway.tasks.at("c1").base.version, 1u);
  ASSERT_EQ(gateway.tasks.at("c2").base.version, 2u);
}
UploadInfo Offer(StreamGateway& gateway, const NodeId& child) {
  const Task& task = gateway.tasks.at(child);
  const UploadInfo info = gateway.UploadOf(child, task, task.seq_first);
  gateway.Tell(agg_event::UploadOffered{info});
  return info;
}

TEST(StreamGateway, ABaseMoreThanThereIsRoomForWaitsForAStep) {
  StreamGateway gateway;
  AskFromThreeVersions(gateway);
  const UploadInfo first = Offer(gateway, "c0");
  EXPECT_THAT(gateway.Of<agg_action::Grant>(), SizeIs(1));
  Offer(gateway, "c1");
  EXPECT_THAT(gateway.Of<agg_action::Grant>(), SizeIs(1));
  Offer(gateway, "c2");
  EXPECT_THAT(gateway.Of<agg_action::Grant>(), IsEmpty());
  gateway.Tell(agg_event::UploadStaged{first.id});
  gateway.Tell(agg_event::UploadFolded{first.id, absl::OkStatus()});
  gateway.Tell(agg_event::Delivered{});
  EXPECT_THAT(gateway.Of<agg_action::Grant>(), IsEmpty()) << "no task, no step";
  gateway.Tell(agg_event::TaskArrived{TrainTask(2)});
  const auto closed = gateway.Of<agg_action::CloseFold>();
  ASSERT_THAT(closed, SizeIs(1));
  EXPECT_EQ(closed[0].roster, Roster::Range(4, 5));
  EXPECT_THAT(gateway.Of<agg_action::Grant>(), SizeIs(1));
}

TEST(StreamGateway, SumsThatNothingCameToMakeRoom) {
  StreamGateway gateway;
  AskFromThreeVersions(gateway);
  const UploadInfo first = Offer(gateway, "c0");
  Offer(gateway, "c1");
  gateway.Tell(agg_event::UploadBroken{first.id, "broken"});
  Offer(gateway, "c2");
  EXPECT_THAT(gateway.Of<agg_action::Grant>(), SizeIs(1));
  const auto dropped = gateway.Of<agg_action::DropBucket>();
  ASSERT_THAT(dropped, SizeIs(1));
  EXPECT_EQ(dropped[0].key.base, VersionRef{});
}

TEST(StreamCore, EveryPhaseChangeIsDeclared) {
  EXPECT_EQ(Declared(StreamCore::Transitions(), Phase::kIdle, Phase::kCollecting),
            Phase::kCollecting);
  EXPECT_DEATH(Declared(StreamCore::Transitions(), Phase::kIdle, Phase::kDelivering), "");
}

}  // namespace
}  // namespace skein
