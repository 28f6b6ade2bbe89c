// StreamCore under policies that keep a schedule of the children.
#include <gmock/gmock.h>

#include "unit/runtime/stream_driver.h"

namespace skein {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

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

// Others make versions while it waits for its group.
TEST(StreamCompass, WhatBecomesTooStaleInItsGroupIsDropped) {
  StreamCompass root;
  root.To32();
  root.Contribute("c1");  // to version 2, and the newest is 4
  root.Contribute("c2");  // to version 0: refused
  for (int i = 0; i < 3; ++i) root.Contribute("c2");
  EXPECT_THAT(root.steps, SizeIs(7));
  root.At(seconds(35));
  EXPECT_THAT(root.steps, SizeIs(7)) << "nothing is left for its step";
  ASSERT_THAT(root.Of<agg_action::DropBucket>(), SizeIs(1));
  EXPECT_EQ(root.Of<agg_action::DropBucket>()[0].key.base.version, 2u);
  ASSERT_THAT(root.Of<agg_action::Report>(), SizeIs(1));
  const Event dropped = root.Of<agg_action::Report>()[0].event;
  EXPECT_EQ(dropped.type, event::kUpdatesDropped);
  EXPECT_EQ(dropped.fields.at("roster"), Value(Roster::Range(5, 6).ToString()));
  EXPECT_EQ(dropped.fields.at("updates"), Value(1));
  EXPECT_THAT(*dropped.fields.at("reason").AsString(), HasSubstr("5 versions old, at most 3"));
  EXPECT_EQ(root.tasks.at("c1").base.version, 7u) << "and it is asked anew";
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

}  // namespace
}  // namespace skein
