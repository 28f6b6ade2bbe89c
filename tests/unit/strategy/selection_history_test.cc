#include "skein/strategy/selection_history.h"

#include <cmath>

#include <gtest/gtest.h>

#include "skein/strategy/selector.h"

namespace skein {
namespace {

WorkerReport ReportOf(LeafIndex leaf, uint64_t samples, std::optional<double> loss) {
  return {.leaf = leaf, .num_samples = samples, .loss = loss, .seconds = 2.5};
}

TEST(SelectionHistory, KnowsNothingAtFirst) {
  const SelectionHistory history;
  EXPECT_EQ(history.Of(7).times_taken, 0u);
  EXPECT_EQ(history.Of(7).last_round, 0u);
  EXPECT_FALSE(history.any_reported());
  const SelectionInput input{.history = nullptr};
  EXPECT_EQ(input.RecordOf(3).last_taken, 0u);
}

TEST(SelectionHistory, CountsTurnsAndKeepsTheLastReport) {
  SelectionHistory history;
  history.Add(1, Roster::Of({0, 2}), std::vector{ReportOf(0, 10, 0.5), ReportOf(2, 20, 1.5)});
  history.Add(2, Roster::Of({2, 3}), std::vector{ReportOf(2, 30, 1.0)});
  EXPECT_EQ(history.Of(0).times_taken, 1u);
  EXPECT_EQ(history.Of(1).times_taken, 0u);
  EXPECT_EQ(history.Of(2).times_taken, 2u);
  EXPECT_EQ(history.Of(2).last_round, 2u);
  EXPECT_EQ(history.Of(2).num_samples, 30u);
  EXPECT_EQ(history.Of(2).loss, 1.0);
  EXPECT_EQ(history.Of(2).seconds, 2.5);
  EXPECT_EQ(history.Of(3).last_taken, 2u);
  EXPECT_EQ(history.Of(3).last_round, 0u) << "its update did not count";
}

TEST(SelectionHistory, LeavesOutReportsOfWorkersThatDidNotTakePart) {
  SelectionHistory history;
  history.Add(1, Roster::Of({0}), std::vector{ReportOf(5, 10, 0.5)});
  EXPECT_EQ(history.Of(5).last_round, 0u);
  EXPECT_FALSE(history.any_reported());
}

TEST(SelectionHistory, TellsWhetherAnyLossIsKnown) {
  SelectionHistory history;
  history.Add(1, Roster::Of({0}), std::vector{ReportOf(0, 10, std::nullopt)});
  EXPECT_TRUE(history.any_reported());
  EXPECT_FALSE(history.any_loss());
  history.Add(2, Roster::Of({0}), std::vector{ReportOf(0, 10, 0.0)});
  EXPECT_TRUE(history.any_loss());
}

TEST(SelectionHistory, SumsTheUtilityOfARound) {
  SelectionHistory history;
  WorkerReport squares = ReportOf(1, 3, 1.0);
  squares.loss_squared = 3;  // losses 1, 2, 2
  history.Add(4, Roster::Of({0, 1}), std::vector{ReportOf(0, 10, 0.5), squares});
  ASSERT_EQ(history.utilities().size(), 1u);
  EXPECT_EQ(history.utilities()[0].round, 4u);
  EXPECT_DOUBLE_EQ(history.utilities()[0].utility, 5 + 3 * std::sqrt(3.0));
}

TEST(WorkerRecord, TakesSquaresBeforeTheMean) {
  WorkerRecord record;
  EXPECT_FALSE(record.RmsLoss());
  record.loss = 2;
  EXPECT_EQ(record.RmsLoss(), 2);
  record.loss_squared = 9;
  EXPECT_EQ(record.RmsLoss(), 3);
}

}  // namespace
}  // namespace skein
