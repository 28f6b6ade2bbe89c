#include "app/plot/activity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/app/plot/events.h"

namespace skein::plot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> IdsOf(const RunActivity& run) {
  std::vector<std::string> ids;
  for (const NodeActivity& node : run.nodes) ids.push_back(node.id);
  return ids;
}

const NodeActivity& NodeOf(const RunActivity& run, const std::string& id) {
  for (const NodeActivity& node : run.nodes) {
    if (node.id == id) return node;
  }
  ADD_FAILURE() << "no " << id;
  return run.nodes.front();
}

// (begin, end) and outcome of each task.
using Spans = std::vector<std::tuple<double, double, Outcome>>;
Spans SpansOf(const NodeActivity& node) {
  Spans spans;
  for (const TaskSpan& task : node.tasks)
    spans.emplace_back(task.begin_s, task.end_s, task.outcome);
  return spans;
}
std::tuple<double, double, Outcome> Span(double begin, double end,
                                         Outcome outcome = Outcome::kCounted) {
  return {begin, end, outcome};
}

TEST(Activity, WithABarrierTheQuickWait) {
  const RunActivity run = ActivityOf(TwoRounds());
  EXPECT_THAT(IdsOf(run), ElementsAre("root", "w0", "w1"));
  EXPECT_EQ(run.end_s, 9) << "the last version";
  EXPECT_EQ(run.status, "completed");
  ASSERT_THAT(run.versions, SizeIs(2));
  EXPECT_EQ(run.versions[0].time_s, 4);
  const NodeActivity& quick = NodeOf(run, "w0");
  EXPECT_THAT(SpansOf(quick), ElementsAre(Span(0, 2), Span(5, 7)));
  EXPECT_EQ(quick.busy_s, 4);
  EXPECT_EQ(quick.idle_s, 5);
  EXPECT_DOUBLE_EQ(quick.IdleShare(), 5.0 / 9);
  const NodeActivity& slow = NodeOf(run, "w1");
  EXPECT_THAT(SpansOf(slow), ElementsAre(Span(0, 4), Span(5, 9, Outcome::kLeftOut)));
  EXPECT_EQ(slow.idle_s, 1);
  EXPECT_DOUBLE_EQ(run.IdleShareOfWorkers(), 6.0 / 18);
  EXPECT_THAT(SpansOf(NodeOf(run, "root")), ElementsAre(Span(0, 4), Span(5, 9)));
  EXPECT_FALSE(NodeOf(run, "root").is_worker);
}

std::vector<Event> Stream() {
  const ValueMap fresh = {{"staleness", 0}};
  return {Started("root", "coordinator", ""),
          Started("w0", "worker", "root"),
          Started("w1", "worker", "root"),
          Started("w2", "worker", "root"),
          Opened(1, 1, 3),
          Report(2, event::kUpdateAccepted, "w0", "root", 1, fresh),
          VersionMade(2, 1, 1),
          Report(3, event::kUpdateAccepted, "w0", "root", 1, fresh),
          Report(3.5, event::kUpdateAccepted, "w1", "root", 2.5, fresh),
          VersionMade(4, 2, 2),
          Ended(9)};
}

TEST(Activity, WithoutABarrierWorkersAreAtWorkUntilTheEnd) {
  const RunActivity run = ActivityOf(Stream());
  EXPECT_EQ(run.end_s, 3);
  EXPECT_THAT(SpansOf(NodeOf(run, "w0")),
              ElementsAre(Span(0, 1), Span(1, 2), Span(2, 3, Outcome::kUnfinished)));
  EXPECT_THAT(SpansOf(NodeOf(run, "w1")),
              ElementsAre(Span(0, 2.5), Span(2.5, 3, Outcome::kUnfinished)));
  EXPECT_THAT(SpansOf(NodeOf(run, "w2")), ElementsAre(Span(0, 3, Outcome::kUnfinished)))
      << "a straggler that never answered";
  EXPECT_EQ(run.IdleShareOfWorkers(), 0);
  EXPECT_THAT(SpansOf(NodeOf(run, "root")), ElementsAre(Span(0, 1), Span(1, 3)));
}

TEST(Activity, WhoWasNotSelectedIsIdle) {
  std::vector<Event> events = Stream();
  events[4] = Opened(1, 1, 2);  // of three workers
  EXPECT_THAT(NodeOf(ActivityOf(events), "w2").tasks, IsEmpty());
}

TEST(Activity, WhoWasRefusedWaitsForAnotherVersion) {
  std::vector<Event> events = Stream();
  events.insert(events.end() - 2, Report(3.8, event::kUpdateRejected, "w0", "root", 0.8));
  EXPECT_THAT(SpansOf(NodeOf(ActivityOf(events), "w0")),
              ElementsAre(Span(0, 1), Span(1, 2), testing::_));
  const RunActivity run = ActivityOf(events);
  const TaskSpan& last = NodeOf(run, "w0").tasks.back();
  EXPECT_EQ(last.outcome, Outcome::kRejected);
  EXPECT_NEAR(last.end_s, 2.8, 1e-9);
}

TEST(Activity, ABarrierBelowAStreamLetsItsWorkersWait) {
  const RunActivity run = ActivityOf(
      {Started("root", "coordinator", ""), Started("a0", "aggregator", "root"),
       Started("w0", "worker", "a0"), Opened(0, 1, 1),
       Report(2, event::kUpdateAccepted, "w0", "a0", 2),
       Report(3, event::kPartialAccepted, "a0", "root", 3, {{"staleness", 0}, {"updates", 1}}),
       VersionMade(3, 1, 1), Report(6, event::kUpdateAccepted, "w0", "a0", 2.5),
       VersionMade(8, 2, 1), Ended(8)});
  EXPECT_THAT(SpansOf(NodeOf(run, "w0")), ElementsAre(Span(0, 2), Span(3.5, 6)));
  EXPECT_THAT(SpansOf(NodeOf(run, "a0")),
              ElementsAre(Span(0, 3), Span(3, 8, Outcome::kUnfinished)));
  EXPECT_EQ(NodeOf(run, "w0").depth, 2);
}

TEST(Activity, WhoIsLostIsAwayUntilItComesBack) {
  const RunActivity run = ActivityOf({Started("root", "coordinator", ""),
                                      Started("w0", "worker", "root"),
                                      Started("w1", "worker", "root"),
                                      Opened(0, 1),
                                      {2, event::kNodeLost, 1, "w0", {{"reason", "gone"}}},
                                      Report(3, event::kWorkerLeftOut, "w0", "root", 3),
                                      {4, event::kNodeLost, 1, "w1", {{"reason", "gone"}}},
                                      Started("w0", "worker", "root", 7),
                                      Committed(10, 1),
                                      Ended(10)});
  const NodeActivity& back = NodeOf(run, "w0");
  EXPECT_THAT(SpansOf(back), ElementsAre(Span(0, 3, Outcome::kLeftOut)));
  ASSERT_THAT(back.absences, SizeIs(1));
  EXPECT_EQ(back.absences[0].begin_s, 2);
  EXPECT_EQ(back.absences[0].end_s, 7);
  EXPECT_EQ(back.away_s, 4) << "its parent heard of it after a second";
  EXPECT_EQ(back.idle_s, 3);
  const NodeActivity& gone = NodeOf(run, "w1");
  EXPECT_EQ(gone.away_s, 6);
  EXPECT_EQ(gone.idle_s, 4);
}

TEST(Activity, OfARunThatFailedGoesToItsEnd) {
  const RunActivity run =
      ActivityOf({Started("root", "coordinator", ""), Started("w0", "worker", "root"), Opened(1, 1),
                  Report(4, event::kWorkerLeftOut, "w0", "root", 3), Ended(6, "failed")});
  EXPECT_EQ(run.end_s, 5);
  EXPECT_THAT(SpansOf(NodeOf(run, "root")), ElementsAre(Span(0, 5, Outcome::kUnfinished)));
}

TEST(Activity, TasksDoNotOverlap) {
  std::vector<Event> events = TwoRounds();
  events[9] = Report(8, event::kUpdateAccepted, "w0", "root", 5.5);  // stamped a little early
  EXPECT_THAT(SpansOf(NodeOf(ActivityOf(events), "w0")), ElementsAre(Span(0, 2), Span(2, 7)));
}

TEST(Activity, EvaluationsAreNoTasks) {
  std::vector<Event> events = TwoRounds();
  events.insert(events.begin() + 8,
                Report(5.8, event::kWorkerLeftOut, "w0", "root", 0.8, {{"task", "evaluate"}}));
  EXPECT_THAT(NodeOf(ActivityOf(events), "w0").tasks, SizeIs(2));
}

TEST(Activity, SiblingsStandByNumberAndEachSubtreeTogether) {
  std::vector<Event> events = {Started("w2", "worker", "a10"),
                               Started("a2", "aggregator", "root"),
                               Started("w10", "worker", "a2"),
                               Started("a10", "aggregator", "root"),
                               Started("w9", "worker", "a2"),
                               Started("root", "coordinator", ""),
                               Opened(0, 1)};
  EXPECT_THAT(IdsOf(ActivityOf(events)), ElementsAre("root", "a2", "w9", "w10", "a10", "w2"));
  events.push_back(Started("x", "aggregator", "y"));  // what no honest log says
  events.push_back(Started("y", "aggregator", "x"));
  events.push_back(Started("z", "worker", "z"));
  EXPECT_THAT(IdsOf(ActivityOf(events)), SizeIs(9));
}

TEST(Activity, NeedsARoundAndTimesOfTasks) {
  ActivityReader empty;
  EXPECT_THAT(Message(empty.Take().status()), HasSubstr("no round"));
  ActivityReader older;
  older.OnEvent(Opened(0, 1));
  older.OnEvent({1, event::kUpdateAccepted, 1, "w0", {{"parent", "root"}}});
  EXPECT_THAT(Message(older.Take().status()), HasSubstr("'task_s'"));
}

}  // namespace
}  // namespace skein::plot
