#include "skein/observe/round_tracker.h"

#include <gtest/gtest.h>

namespace skein {
namespace {

Event Opened(uint64_t round, int participants) {
  return {0, event::kRoundOpened, round, "", {{"participants", participants}}};
}

Event Committed(uint64_t round, int contributors) {
  return {0,
          event::kRoundCommitted,
          round,
          "root",
          {{"contributors", contributors},
           {"samples", 1200.0},
           {"wall_s", 1.5},
           {"digest", "abc"},
           {"metrics", ValueMap{{"loss", 0.5}}},
           {"bytes", ValueList{ValueMap{{"tier", 1}, {"up", 7}, {"down", 8}},
                               ValueMap{{"tier", 0}, {"up", 5.0}, {"down", 6.0}}}}}};
}

Event Evaluated(uint64_t round, const char* where, double accuracy) {
  return {0, event::kEvaluated, round, "root", {{"where", where}, {"accuracy", accuracy}}};
}

TEST(RoundTracker, ConcludesARoundWhenTheNextOpens) {
  RoundTracker tracker;
  EXPECT_FALSE(tracker.OnEvent(Opened(1, 4)));
  EXPECT_FALSE(tracker.OnEvent(Committed(1, 3)));
  EXPECT_FALSE(tracker.OnEvent(Evaluated(1, "coordinator", 0.75)));
  const auto round = tracker.OnEvent(Opened(2, 4));
  ASSERT_TRUE(round);
  EXPECT_EQ(round->round, 1u);
  EXPECT_EQ(round->participants, 4u);
  EXPECT_EQ(round->contributors, 3u);
  EXPECT_EQ(round->samples, 1200u);
  EXPECT_EQ(round->digest, "abc");
  EXPECT_EQ(round->Evaluated("accuracy"), 0.75);
  EXPECT_EQ(round->Evaluated("loss"), std::nullopt);
  EXPECT_EQ(round->training.at("loss"), 0.5);
  EXPECT_EQ(round->bytes, (std::vector<TierTraffic>{{5, 6}, {7, 8}}));
  EXPECT_EQ(tracker.current().round, 2u);
}

TEST(RoundTracker, WhoIsLeftOutIsCountedInWorkers) {
  RoundTracker tracker;
  tracker.OnEvent(Opened(1, 6));
  for (int local_round = 0; local_round < 3; ++local_round) {
    tracker.OnEvent({0, event::kWorkerLeftOut, 1, "w3", {{"parent", "a1"}}});
  }
  tracker.OnEvent({0, event::kUpdateRejected, 1, "w4", {{"parent", "a1"}}});
  tracker.OnEvent(Committed(1, 4));
  EXPECT_EQ(tracker.current().left_out, 1u);
  EXPECT_EQ(tracker.current().rejected, 1u);
}

TEST(RoundTracker, TheEndOfTheRunConcludesTheLastRound) {
  RoundTracker tracker;
  tracker.OnEvent(Opened(1, 1));
  tracker.OnEvent(Committed(1, 1));
  EXPECT_TRUE(tracker.OnEvent({0, event::kRunEnded, 1, "", {}}));
}

TEST(RoundTracker, ARoundThatWasNotCommittedIsNotConcluded) {
  RoundTracker tracker;
  tracker.OnEvent(Opened(1, 1));
  EXPECT_FALSE(tracker.OnEvent({0, event::kRunEnded, 1, "", {}}));
}

TEST(RoundTracker, PrefersTheCoordinatorsEvaluationInEitherOrder) {
  for (const bool coordinator_first : {true, false}) {
    RoundTracker tracker;
    tracker.OnEvent(Opened(1, 1));
    tracker.OnEvent(Committed(1, 1));
    tracker.OnEvent(coordinator_first ? Evaluated(1, "coordinator", 0.9)
                                      : Evaluated(1, "workers", 0.1));
    tracker.OnEvent(coordinator_first ? Evaluated(1, "workers", 0.1)
                                      : Evaluated(1, "coordinator", 0.9));
    EXPECT_EQ(tracker.current().Evaluated("accuracy"), 0.9);
  }
}

TEST(RoundTracker, CountsUpdatesOnceWhicheverEventTellsOfThem) {
  RoundTracker tracker;
  tracker.OnEvent({0, event::kNodeStarted, 0, "root", {{"role", "coordinator"}}});
  tracker.OnEvent(Opened(1, 4));
  tracker.OnEvent({0, event::kUpdateAccepted, 1, "w0", {{"parent", "a1"}}});
  tracker.OnEvent({0, event::kUpdateAccepted, 1, "w1", {{"parent", "a1"}}});
  EXPECT_EQ(tracker.current().arrived, 2u);
  // The same two, on their way through an inner tier and into the root.
  tracker.OnEvent({0, event::kPartialAccepted, 1, "a1", {{"parent", "a0"}, {"updates", 2}}});
  EXPECT_EQ(tracker.current().arrived, 2u);
  tracker.OnEvent({0, event::kPartialAccepted, 1, "a0", {{"parent", "root"}, {"updates", 2}}});
  EXPECT_EQ(tracker.current().arrived, 2u);
  // A subtree that reports no single updates.
  tracker.OnEvent({0, event::kPartialAccepted, 1, "a9", {{"parent", "root"}, {"updates", 2}}});
  EXPECT_EQ(tracker.current().arrived, 4u);
}

TEST(RoundTracker, ANewAttemptStartsFromNothing) {
  RoundTracker tracker;
  tracker.OnEvent(Opened(1, 4));
  tracker.OnEvent({0, event::kUpdateAccepted, 1, "w0", {}});
  tracker.OnEvent({0, event::kUpdateRejected, 1, "w1", {}});
  tracker.OnEvent(Opened(1, 3));
  EXPECT_EQ(tracker.current().arrived, 0u);
  EXPECT_EQ(tracker.current().rejected, 0u);
  EXPECT_EQ(tracker.current().participants, 3u);
}

TEST(TrafficOf, TakesNoMemoryForAbsurdTiers) {
  const Event event{
      0, event::kRunEnded, 0, "", {{"bytes", ValueList{ValueMap{{"tier", int64_t{1} << 60}}}}}};
  EXPECT_TRUE(TrafficOf(event).empty());
}

}  // namespace
}  // namespace skein
