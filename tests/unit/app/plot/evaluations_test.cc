#include "app/plot/evaluations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/app/plot/events.h"

namespace skein::plot {
namespace {

using ::testing::SizeIs;

std::vector<Evaluation> Read(const std::vector<Event>& events) {
  Evaluations evaluations;
  for (const Event& event : events) evaluations.OnEvent(event);
  return evaluations.Take();
}

TEST(Evaluations, StandWhereTheirModelWasMade) {
  const auto evaluations = Read(TwoRounds());
  ASSERT_THAT(evaluations, SizeIs(2));
  EXPECT_EQ(evaluations[0].spent.time_s, 4);
  EXPECT_EQ(evaluations[0].spent.rounds, 1u);
  EXPECT_EQ(evaluations[0].spent.updates, 2u);
  EXPECT_EQ(evaluations[0].spent.bytes, 550);
  EXPECT_EQ(evaluations[0].spent.bytes_at_root, 110);
  EXPECT_EQ(evaluations[0].metrics.at("accuracy"), 0.5);
  EXPECT_EQ(evaluations[1].spent.time_s, 9);
  EXPECT_EQ(evaluations[1].spent.updates, 3u);
  EXPECT_EQ(evaluations[1].spent.bytes, 1100);
  EXPECT_EQ(evaluations[1].metrics.at("accuracy"), 0.75);
}

TEST(Evaluations, WithoutABarrierTheyComeLaterThanTheNextVersions) {
  const auto evaluations =
      Read({Opened(1, 1), VersionMade(2, 1, 8), VersionMade(3, 2, 8), Evaluated(3.5, 1, 0.25),
            VersionMade(4, 3, 5), Evaluated(5, 3, 0.5)});
  ASSERT_THAT(evaluations, SizeIs(2));
  EXPECT_EQ(evaluations[0].spent.time_s, 1);
  EXPECT_EQ(evaluations[0].spent.updates, 8u);
  EXPECT_EQ(evaluations[1].spent.time_s, 3);
  EXPECT_EQ(evaluations[1].spent.updates, 21u);
}

TEST(Evaluations, TheCoordinatorsCountsInEitherOrder) {
  for (const bool coordinator_first : {true, false}) {
    const char* const first = coordinator_first ? "coordinator" : "workers";
    const char* const second = coordinator_first ? "workers" : "coordinator";
    const auto evaluations =
        Read({Opened(1, 1), Committed(2, 1), Evaluated(3, 1, coordinator_first ? 0.9 : 0.1, first),
              Evaluated(3, 1, coordinator_first ? 0.1 : 0.9, second)});
    ASSERT_THAT(evaluations, SizeIs(1));
    EXPECT_EQ(evaluations[0].metrics.at("accuracy"), 0.9);
  }
}

TEST(Evaluations, OfModelsThatWereNeverMadeAreNone) {
  EXPECT_THAT(Read({Opened(1, 1), Evaluated(2, 7, 0.5)}), SizeIs(0));
}

}  // namespace
}  // namespace skein::plot
