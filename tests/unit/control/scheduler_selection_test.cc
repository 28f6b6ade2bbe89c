// What selectors are told of earlier rounds, and when nodes are asked for it.
#include <gmock/gmock.h>

#include "skein/builtins/strategies.h"
#include "unit/control/scheduler_driver.h"

namespace skein {
namespace {

struct Told {
  std::vector<SelectionHistory> histories;  // one a selection
  std::vector<bool> has_topology;
};

SchedulerDriver DriverOf(SelectionNeeds needs, Told& told, SchedulerHistory history = {}) {
  RunConfig config = SchedulerDriver::DefaultConfig();
  config.evaluate.coordinator = false;
  auto select = [&told](const SelectionInput& input) -> absl::StatusOr<Roster> {
    told.histories.push_back(*input.history);
    told.has_topology.push_back(input.topology != nullptr && input.topology->num_workers() == 4);
    return Roster::Of({1, 3});
  };
  return SchedulerDriver("flat:4", config, std::move(history), std::move(select), true, {}, nullptr,
                         needs);
}

TEST(SchedulerSelection, AsksForReportsAndPassesThemOn) {
  Told told;
  SchedulerDriver driver = DriverOf(SelectionNeeds::kReports, told);
  driver.Begin();
  EXPECT_TRUE(driver.plan.wants_reports);
  RoundResultMsg result = driver.Result();
  // Leaf 0 does not take part: nobody may speak for it.
  result.reports = {{0, 9, 0.5, std::nullopt, 1}, {3, 600, 0.25, std::nullopt, 2.5}};
  driver.Tell(scheduler::RoundResult{"root", result});
  ASSERT_EQ(told.histories.size(), 2u);
  EXPECT_FALSE(told.histories[0].any_reported());
  EXPECT_EQ(told.histories[1].Of(0).last_round, 0u);
  EXPECT_EQ(told.histories[1].Of(1).times_taken, 1u);
  EXPECT_EQ(told.histories[1].Of(1).last_round, 0u);
  EXPECT_EQ(told.histories[1].Of(3).last_round, 1u);
  EXPECT_EQ(told.histories[1].Of(3).num_samples, 600u);
  EXPECT_EQ(told.histories[1].Of(3).loss, 0.25);
  EXPECT_THAT(told.has_topology, ::testing::Each(true));
}

TEST(SchedulerSelection, TurnsNeedNoReports) {
  Told told;
  SchedulerDriver driver = DriverOf(SelectionNeeds::kTurns, told);
  driver.Begin();
  EXPECT_FALSE(driver.plan.wants_reports);
  driver.FinishRound();
  EXPECT_EQ(told.histories.at(1).Of(3).times_taken, 1u);
}

TEST(SchedulerSelection, KeepsNothingForThoseWhoNeedNothing) {
  Told told;
  SchedulerDriver driver = DriverOf(SelectionNeeds::kNothing, told);
  driver.Begin();
  EXPECT_FALSE(driver.plan.wants_reports);
  driver.FinishRound();
  EXPECT_EQ(told.histories.at(1).Of(3).times_taken, 0u);
}

TEST(SchedulerSelection, AnotherLifeKnowsWhoseTurnItWas) {
  Told told;
  SchedulerHistory history;
  RoundRecord committed;
  committed.round = 1;
  committed.state = "committed";
  committed.version = {1, 0, 0};
  committed.participants = Roster::Of({0, 2});
  RoundRecord failed = committed;
  failed.round = 2;
  failed.state = "failed";
  history.rounds = {committed, failed};
  SchedulerDriver driver = DriverOf(SelectionNeeds::kTurns, told, std::move(history));
  driver.Begin();
  ASSERT_EQ(told.histories.size(), 1u);
  EXPECT_EQ(told.histories[0].Of(2).times_taken, 1u);
  EXPECT_EQ(told.histories[0].Of(2).last_taken, 1u) << "the second round did not stand";
}

// A selector that steering brings gets the reports of the rounds from then on, and the run's own
// one, which may come back, is told of them as well.
TEST(SchedulerSelection, SteeringBringsASelectorThatAsksForReports) {
  struct Hook : Steering {
    absl::StatusOr<SteeringDecision> Decide(const SteeringRecord& record) override {
      SteeringDecision decision;
      if (record.round == 1) decision.selector = PartSpec{"learns", {}};
      return decision;
    }
  };
  StrategyRegistries strategies;
  RegisterBuiltinStrategies(strategies);
  Told told;
  ASSERT_TRUE(strategies.selectors
                  .Register({.name = "learns", .summary = "", .source = "", .schema = {}},
                            [&](const Params&) -> absl::StatusOr<std::shared_ptr<Selector>> {
                              return std::make_shared<FakeSelector>(
                                  [&](const SelectionInput& input) -> absl::StatusOr<Roster> {
                                    told.histories.push_back(*input.history);
                                    return *input.available;
                                  },
                                  SelectionNeeds::kReports);
                            })
                  .ok());
  RunConfig config = SchedulerDriver::DefaultConfig();
  config.evaluate.coordinator = false;
  auto helm = std::make_shared<Helm>(std::make_shared<Hook>(), config.strategy, Shape("flat:4"),
                                     &strategies);
  SchedulerDriver driver("flat:4", config, {}, SelectAll(), true, {}, std::move(helm));
  driver.Begin();
  EXPECT_FALSE(driver.plan.wants_reports);
  driver.FinishRound();
  EXPECT_TRUE(driver.plan.wants_reports);
  EXPECT_EQ(told.histories.at(0).Of(0).times_taken, 1u) << "the round that it came after";
  RoundResultMsg result = driver.Result();
  result.reports = {{2, 5, 0.5, std::nullopt, 1}};
  driver.Tell(scheduler::RoundResult{"root", result});
  ASSERT_EQ(told.histories.size(), 2u);
  EXPECT_EQ(told.histories[1].Of(2).last_round, 2u);
}

}  // namespace
}  // namespace skein
