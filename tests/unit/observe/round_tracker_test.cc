#include "skein/observe/round_tracker.h"

#include <gmock/gmock.h>

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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
  EXPECT_THAT(tracker.OnEvent(Opened(1, 4)), IsEmpty());
  EXPECT_THAT(tracker.OnEvent(Committed(1, 3)), IsEmpty());
  EXPECT_THAT(tracker.OnEvent(Evaluated(1, "coordinator", 0.75)), IsEmpty());
  const auto concluded = tracker.OnEvent(Opened(2, 4));
  ASSERT_THAT(concluded, SizeIs(1));
  const auto round = concluded.begin();
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
  EXPECT_THAT(tracker.OnEvent({0, event::kRunEnded, 1, "", {}}), SizeIs(1));
}

TEST(RoundTracker, ARoundThatWasNotCommittedIsNotConcluded) {
  RoundTracker tracker;
  tracker.OnEvent(Opened(1, 1));
  EXPECT_THAT(tracker.OnEvent({0, event::kRunEnded, 1, "", {}}), IsEmpty());
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

Event Version(uint64_t version, int updates, bool evaluating) {
  Event event = Committed(version, 2);
  event.type = event::kVersionCommitted;
  event.fields["updates"] = updates;
  event.fields["evaluating"] = evaluating;
  return event;
}

std::vector<uint64_t> RoundsOf(const std::vector<RoundSummary>& summaries) {
  std::vector<uint64_t> rounds;
  for (const RoundSummary& summary : summaries) rounds.push_back(summary.round);
  return rounds;
}

TEST(RoundTracker, AVersionIsConcludedAtOnceUnlessItIsEvaluated) {
  RoundTracker tracker;
  tracker.OnEvent(Opened(1, 4));
  tracker.OnEvent({0, event::kUpdateAccepted, 1, "w0", {}});
  tracker.OnEvent({0, event::kUpdateRejected, 1, "w1", {}});
  const auto first = tracker.OnEvent(Version(1, 5, false));
  ASSERT_THAT(RoundsOf(first), ElementsAre(1u));
  EXPECT_EQ(first[0].updates, 5u);
  EXPECT_EQ(first[0].contributors, 2u);
  EXPECT_EQ(first[0].rejected, 1u);
  EXPECT_EQ(first[0].left_out, 0u);
  EXPECT_EQ(tracker.current().round, 2u);
  EXPECT_EQ(tracker.current().arrived, 0u);

  EXPECT_THAT(tracker.OnEvent(Version(2, 5, true)), IsEmpty());
  tracker.OnEvent({0, event::kUpdateAccepted, 2, "w0", {}});  // to an older version
  EXPECT_EQ(tracker.current().arrived, 1u);
  EXPECT_THAT(tracker.OnEvent(Version(3, 5, false)), IsEmpty()) << "they come in order";
  const auto both = tracker.OnEvent(Evaluated(2, "coordinator", 0.5));
  ASSERT_THAT(RoundsOf(both), ElementsAre(2u, 3u));
  EXPECT_EQ(both[0].Evaluated("accuracy"), 0.5);
  EXPECT_EQ(both[1].Evaluated("accuracy"), std::nullopt);
}

TEST(RoundTracker, TheEndOfTheRunConcludesAllVersions) {
  RoundTracker tracker;
  tracker.OnEvent(Opened(1, 4));
  tracker.OnEvent(Version(1, 5, true));
  tracker.OnEvent(Version(2, 5, true));
  EXPECT_THAT(RoundsOf(tracker.OnEvent({0, event::kRunEnded, 2, "", {}})), ElementsAre(1u, 2u));
}

TEST(RoundTracker, AnEvaluationMayComeAfterItsRoundWasConcluded) {
  RoundTracker rounds;
  rounds.OnEvent(Opened(1, 2));
  rounds.OnEvent(Committed(1, 2));
  rounds.OnEvent(Opened(2, 2));
  EXPECT_TRUE(rounds.late_evaluation().empty());
  rounds.OnEvent(Evaluated(1, "coordinator", 0.25));
  rounds.OnEvent(Evaluated(1, "workers", 0.5));
  EXPECT_EQ(rounds.late_evaluation().at("accuracy"), 0.25);
  EXPECT_TRUE(rounds.current().evaluation.empty());

  RoundTracker versions;
  versions.OnEvent(Opened(1, 4));
  versions.OnEvent(Version(1, 5, false));
  versions.OnEvent(Evaluated(1, "coordinator", 0.75));
  EXPECT_EQ(versions.late_evaluation().at("accuracy"), 0.75);
}

TEST(TrafficOf, TakesNoMemoryForAbsurdTiers) {
  const Event event{
      0, event::kRunEnded, 0, "", {{"bytes", ValueList{ValueMap{{"tier", int64_t{1} << 60}}}}}};
  EXPECT_TRUE(TrafficOf(event).empty());
}

}  // namespace
}  // namespace skein
