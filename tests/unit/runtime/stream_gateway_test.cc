// StreamCore at a node that is not the root.
#include <gmock/gmock.h>

#include "unit/runtime/stream_driver.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Phase = StreamCore::Phase;
using Into = agg_action::CloseFold::Into;

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

// More could not be added up exactly: the children rest until the parent asks again.
TEST(StreamGateway, HoldsSoMuchAndNoMore) {
  StreamGateway gateway;
  gateway.Begin();
  gateway.Answer("c0");
  gateway.Answer("c1");
  gateway.Tell(agg_event::Delivered{});
  Seq last = 0;
  int updates = 0;
  while (gateway.tasks.at("c0").seq_first != last && updates < 1000) {
    last = gateway.tasks.at("c0").seq_first;
    gateway.Answer("c0");
    ++updates;
  }
  const uint64_t workers = TrainTask().participants.Count();
  EXPECT_EQ(updates, static_cast<int>(kContributionsOfAWorker / 2 * workers));
  gateway.Tell(agg_event::TaskArrived{TrainTask(2)});
  gateway.Wake();
  EXPECT_GT(gateway.tasks.at("c0").seq_first, last) << "a step was made of it";
}

}  // namespace
}  // namespace skein
