#include "skein/observe/stream_pace.h"

#include <gtest/gtest.h>

namespace skein {
namespace {

Event Opened(double time_s) { return {time_s, event::kRoundOpened, 1, "", {}}; }
Event Started(double time_s, const char* node, const char* role = "worker") {
  return {time_s, event::kNodeStarted, 0, node, {{"role", role}}};
}
Event Accepted(double time_s, const char* node, double task_s) {
  return {time_s, event::kUpdateAccepted, 1, node, {{"task_s", task_s}}};
}
Event Version(double time_s, uint64_t version, ValueList bases, int updates) {
  return {time_s,
          event::kVersionCommitted,
          version,
          "root",
          {{"bases", std::move(bases)}, {"updates", updates}}};
}
Value Base(int version, int updates) {
  return ValueMap{{"version", version}, {"updates", updates}};
}

TEST(StreamPace, StalenessIsCountedByUpdateAgainstTheVersionBefore) {
  StreamPace pace;
  pace.OnEvent(Opened(10));
  pace.OnEvent(Version(12, 1, {Base(0, 4)}, 4));
  pace.OnEvent(Version(14, 5, {Base(1, 3), Base(4, 1)}, 4));
  Pace taken = pace.Take(14);
  EXPECT_EQ(taken.seconds, 4);
  EXPECT_EQ(taken.UpdatesPerSecond(), 2);
  EXPECT_EQ(taken.MeanStaleness(), 9.0 / 8);
  EXPECT_EQ(taken.staleness_max, 3u);
  pace.OnEvent(Version(15, 6, {Base(5, 2)}, 2));
  taken = pace.Take(15);
  EXPECT_EQ(taken.seconds, 1);
  EXPECT_EQ(taken.updates, 2u);
  EXPECT_EQ(taken.staleness_max, 0u);
  EXPECT_EQ(pace.total().updates, 10u);
  EXPECT_EQ(pace.total().staleness_max, 3u);
  EXPECT_EQ(pace.total().seconds, 5);
}

TEST(StreamPace, WorkersAreIdleBetweenTheirTasks) {
  StreamPace pace;
  pace.OnEvent(Started(0, "w0"));
  pace.OnEvent(Started(0, "w1"));
  pace.OnEvent(Started(0, "a0", "aggregator"));
  pace.OnEvent(Opened(10));
  EXPECT_FALSE(pace.total().Idle());
  pace.OnEvent(Accepted(14, "w0", 4));
  EXPECT_EQ(pace.total().Idle(), 0);
  pace.OnEvent(Accepted(18, "w0", 3));  // a second without a task
  pace.OnEvent(Accepted(18, "w1", 8));
  pace.OnEvent({18, event::kPartialAccepted, 1, "a0", {{"task_s", 2}}});
  EXPECT_EQ(pace.total().Idle(), 1.0 / 16);
  pace.OnEvent(Accepted(19, "w0", 5));  // stamped early: no time counts twice
  EXPECT_EQ(pace.total().Idle(), 1.0 / 17);
  pace.OnEvent(Accepted(18.5, "w0", 1));
  EXPECT_EQ(pace.total().Idle(), 1.0 / 17);
}

TEST(StreamPace, AbsencesAreNeitherBusyNorIdle) {
  StreamPace pace;
  pace.OnEvent(Started(0, "w0"));
  pace.OnEvent(Opened(0));
  pace.OnEvent({4, event::kWorkerLeftOut, 1, "w0", {{"task_s", 4}}});
  pace.OnEvent(Started(100, "w0"));
  pace.OnEvent(Accepted(103, "w0", 3));
  EXPECT_EQ(pace.total().Idle(), 0);
  EXPECT_EQ(pace.total().busy_s, 7);
}

TEST(StreamPace, EventsWithoutTimesTellNothingOfIdleness) {
  StreamPace pace;
  pace.OnEvent(Started(0, "w0"));
  pace.OnEvent(Opened(0));
  pace.OnEvent({4, event::kUpdateAccepted, 1, "w0", {}});
  EXPECT_FALSE(pace.Take(4).Idle());
}

}  // namespace
}  // namespace skein
