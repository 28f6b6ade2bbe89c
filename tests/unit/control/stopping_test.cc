#include "skein/control/stopping.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

StopRules Target(bool at_least, double value, bool training = false) {
  StopRules rules;
  rules.targets = {{"m", at_least, value, training}};
  return rules;
}

StopRules Flat(uint64_t rounds, double min_delta, bool lower) {
  StopRules rules;
  rules.plateaus = {{"m", rounds, min_delta, lower, false}};
  return rules;
}

// The round after whose evaluation the rules end a run that evaluates every round; 0: none.
uint64_t EndOf(const StopRules& rules, const std::vector<double>& values) {
  Stopping stopping(rules, {});
  for (size_t i = 0; i < values.size(); ++i) {
    if (stopping.OnEvaluated(i + 1, "coordinator", {{"m", values[i]}})) return i + 1;
  }
  return 0;
}

TEST(Stopping, EndsWhenTheRulesSay) {
  struct Row {
    const char* what;
    StopRules rules;
    std::vector<double> values;
    uint64_t end;
  };
  const std::vector<Row> rows = {
      {"a target from below", Target(true, 0.8), {0.5, 0.79, 0.8, 0.9}, 3},
      {"a target from above", Target(false, 0.2), {0.5, 0.21, 0.19}, 3},
      {"a target that is not reached", Target(true, 0.8), {0.5, 0.6}, 0},
      {"a target and NaN", Target(true, 0.8), {kNaN, 0.9}, 2},
      {"a loss that falls", Flat(2, 0, true), {5, 4, 3, 2, 1}, 0},
      {"a loss that stays", Flat(2, 0, true), {5, 4, 4, 4}, 4},
      {"a loss that rises", Flat(2, 0, true), {5, 4, 6, 7}, 4},
      {"a loss that comes back in time", Flat(2, 0, true), {5, 6, 4, 6, 3}, 0},
      {"steps that are too small add up", Flat(2, 0.5, true), {5, 4.8, 4.4, 4.2, 3.8}, 0},
      {"steps that are too small", Flat(2, 1, true), {5, 4.8, 4.4}, 3},
      {"exactly min_delta is not more", Flat(2, 1, true), {5, 4, 4}, 3},
      {"an accuracy that stays", Flat(3, 0, false), {0.1, 0.2, 0.2, 0.1, 0.2}, 5},
      {"an accuracy that grows", Flat(1, 0, false), {0.1, 0.2, 0.3}, 0},
      {"NaN only", Flat(2, 0, true), {kNaN, kNaN, kNaN}, 3},
      {"NaN, then values", Flat(2, 0, true), {kNaN, kNaN, 5, 4}, 0},
  };
  for (const Row& row : rows) EXPECT_EQ(EndOf(row.rules, row.values), row.end) << row.what;
}

TEST(Stopping, AReasonSaysWhichRuleAndWhy) {
  Stopping target(Target(true, 0.8), {});
  EXPECT_EQ(target.OnEvaluated(7, "coordinator", {{"m", 0.8125}}),
            "stop.metric: m is 0.8125 after round 7, at least 0.8 was wanted");
  Stopping flat(Flat(2, 0.001, true), {});
  EXPECT_EQ(flat.OnEvaluated(3, "coordinator", {{"m", 0.5}}), std::nullopt);
  EXPECT_EQ(flat.OnEvaluated(5, "coordinator", {{"m", 0.5}}),
            "stop.plateau: m is no better by more than 0.001 for 2 rounds, the best was 0.5 after "
            "round 3");
}

TEST(Stopping, APlateauCountsRoundsNotEvaluations) {
  Stopping stopping(Flat(10, 0, true), {});
  EXPECT_EQ(stopping.OnEvaluated(5, "coordinator", {{"m", 1}}), std::nullopt);
  EXPECT_EQ(stopping.OnEvaluated(10, "coordinator", {{"m", 1}}), std::nullopt);
  EXPECT_NE(stopping.OnEvaluated(15, "coordinator", {{"m", 1}}), std::nullopt);
}

TEST(Stopping, TheCoordinatorsEvaluationCountsIfThereIsOne) {
  Stopping both(Target(true, 0.8), {.coordinator = true, .workers = true});
  EXPECT_EQ(both.OnEvaluated(1, "workers", {{"m", 0.9}}), std::nullopt);
  EXPECT_NE(both.OnEvaluated(1, "coordinator", {{"m", 0.9}}), std::nullopt);
  Stopping workers(Target(true, 0.8), {.coordinator = false, .workers = true});
  EXPECT_NE(workers.OnEvaluated(1, "workers", {{"m", 0.9}}), std::nullopt);
}

TEST(Stopping, MetricsOfTrainingAreTheirOwn) {
  Stopping stopping(Target(true, 0.8, /*training=*/true), {});
  EXPECT_EQ(stopping.OnEvaluated(1, "coordinator", {{"m", 0.9}}), std::nullopt);
  EXPECT_NE(stopping.OnCommitted(1, {{"m", 0.9}}, 0), std::nullopt);
}

TEST(Stopping, TimeRunsFromTheFirstRound) {
  StopRules rules;
  rules.time_s = 600;
  Stopping stopping(rules, {});
  EXPECT_EQ(stopping.deadline(), kNever);
  EXPECT_EQ(stopping.OnTime(seconds(10000)), std::nullopt);
  stopping.Start(seconds(100));
  EXPECT_EQ(stopping.deadline(), seconds(700));
  stopping.Start(seconds(200));
  EXPECT_EQ(stopping.deadline(), seconds(700)) << "it starts once";
  EXPECT_EQ(stopping.OnTime(seconds(699)), std::nullopt);
  EXPECT_EQ(stopping.OnTime(seconds(700)), "stop.time_s: 600 s have passed");
  Stopping none({}, {});
  none.Start(seconds(1));
  EXPECT_EQ(none.deadline(), kNever);
}

TEST(Stopping, BytesAreCountedInAll) {
  StopRules rules;
  rules.bytes_mb = 500;
  Stopping stopping(rules, {});
  EXPECT_EQ(stopping.OnCommitted(1, {}, 499'999'999), std::nullopt);
  EXPECT_EQ(stopping.OnCommitted(2, {}, 512'000'000),
            "stop.bytes_mb: 512 MB have been moved after round 2, 500 MB are allowed");
}

TEST(Stopping, WarnsOnceOfAMetricThatIsNotThere) {
  Stopping stopping(Target(true, 0.8), {});
  EXPECT_EQ(stopping.OnEvaluated(1, "coordinator", {{"accuracy", 0.9}, {"loss", 1}}), std::nullopt);
  EXPECT_THAT(stopping.TakeWarnings(),
              ElementsAre("stop.metric: the evaluation reports no 'm'; it reports accuracy, loss"));
  EXPECT_EQ(stopping.OnEvaluated(2, "coordinator", {}), std::nullopt);
  EXPECT_THAT(stopping.TakeWarnings(), IsEmpty());
}

// ---- from specs ----

Value M(ValueMap map) { return Value(std::move(map)); }

TEST(StopRules, AreReadAndWritten) {
  const Value text = M({{"metric", M({{"name", "accuracy"}, {"at_least", 0.8}})},
                        {"plateau", M({{"metric", "loss"}, {"rounds", 5}, {"min_delta", 0.001}})},
                        {"time_s", 600},
                        {"bytes_mb", 500}});
  const StopRules rules = StopRulesFromValue(text).value();
  EXPECT_EQ(rules.targets, (std::vector<StopTarget>{{"accuracy", true, 0.8, false}}));
  EXPECT_EQ(rules.plateaus, (std::vector<StopPlateau>{{"loss", 5, 0.001, true, false}}));
  EXPECT_EQ(rules.time_s, 600);
  EXPECT_EQ(rules.bytes_mb, 500);
  EXPECT_EQ(StopRulesFromValue(ToValue(rules)).value(), rules);
  EXPECT_EQ(StopRulesFromValue(Value()).value(), StopRules());
  EXPECT_TRUE(ToValue(StopRules()).is_null());
}

TEST(StopRules, AListHasAsManyOfAKindAsItLikes) {
  const Value text = ValueList{M({{"metric", M({{"name", "accuracy"}, {"at_least", 0.8}})}}),
                               M({{"metric", M({{"name", "loss"}, {"at_most", 0.1}})}}),
                               M({{"plateau", M({{"metric", "accuracy"}, {"rounds", 2}})}})};
  const StopRules rules = StopRulesFromValue(text).value();
  EXPECT_EQ(rules.targets.size(), 2u);
  EXPECT_FALSE(rules.targets[1].at_least);
  EXPECT_FALSE(rules.plateaus.at(0).lower_is_better);
  EXPECT_EQ(StopRulesFromValue(ToValue(rules)).value(), rules);
}

TEST(StopRules, BadOnesAreRefusedWithTheKey) {
  const auto target = [](ValueMap map) { return M({{"metric", M(std::move(map))}}); };
  const auto plateau = [](ValueMap map) { return M({{"plateau", M(std::move(map))}}); };
  const std::vector<std::pair<Value, const char*>> rows = {
      {"soon", "stop: must be a map of rules or a list of such maps"},
      {ValueList{"soon"}, "stop: must be a map of rules"},
      {M({{"metrics", 1}}), "unknown key 'metrics'; did you mean 'metric'?"},
      {M({{"metric", "accuracy"}}), "stop.metric: must be a map"},
      {M({{"time_s", -1}}), "'time_s' is -1"},
      {M({{"time_s", 0}}), "'time_s' is 0"},
      {M({{"time_s", 2e9}}), "'time_s' is 2e+09"},
      {M({{"time_s", "long"}}), "'time_s' must be a number"},
      {M({{"bytes_mb", -5}}), "'bytes_mb' is -5"},
      {ValueList{M({{"time_s", 1}}), M({{"time_s", 2}})}, "stop.time_s: it is given twice"},
      {target({{"at_least", 1}}), "'name' is required"},
      {target({{"name", "a"}}), "give either 'at_least' or 'at_most'"},
      {target({{"name", "a"}, {"at_least", 1}, {"at_most", 1}}), "give either"},
      {target({{"name", "a"}, {"at_leats", 1}}), "did you mean 'at_least'?"},
      {target({{"name", "a"}, {"at_least", INFINITY}}), "'at_least' must be a number"},
      {target({{"name", "a"}, {"at_least", 1}, {"from", "tests"}}), "evaluation, training"},
      {plateau({{"metric", "loss"}}), "'rounds' is required"},
      {plateau({{"metric", "loss"}, {"rounds", 0}}), "'rounds' is 0, it must be from 1"},
      {plateau({{"metric", "loss"}, {"rounds", 2}, {"min_delta", -1}}), "'min_delta' is -1"},
      {plateau({{"metric", "loss"}, {"rounds", 2}, {"better", "more"}}), "lower, higher"},
  };
  for (const auto& [value, words] : rows) {
    const auto rules = StopRulesFromValue(value);
    EXPECT_FALSE(rules.ok()) << ToJson(value);
    EXPECT_THAT(Message(rules.status()), HasSubstr(words)) << ToJson(value);
  }
}

TEST(StopRules, WhatIsNeverEvaluatedIsNotWaitedFor) {
  const EvaluateSpec never{.coordinator = false, .workers = false};
  const absl::Status status = CheckStopRules(Target(true, 0.8), never);
  EXPECT_THAT(Message(status), HasSubstr("stop.metric: 'm' is never evaluated"));
  EXPECT_THAT(Message(CheckStopRules(Flat(2, 0, true), never)), HasSubstr("stop.plateau"));
  EXPECT_TRUE(CheckStopRules(Target(true, 0.8, /*training=*/true), never).ok());
  EXPECT_TRUE(CheckStopRules(Target(true, 0.8), {}).ok());
}

TEST(StopRules, ThoseOfAProgramAreHeldToTheSameBounds) {
  StopRules rules;
  rules.time_s = -1;
  EXPECT_THAT(Message(CheckStopRules(rules, {})), HasSubstr("stop.time_s"));
  rules = {};
  rules.bytes_mb = kNaN;
  EXPECT_THAT(Message(CheckStopRules(rules, {})), HasSubstr("stop.bytes_mb"));
  EXPECT_THAT(Message(CheckStopRules(Flat(0, 0, true), {})), HasSubstr("'rounds' is 0"));
  EXPECT_FALSE(CheckStopRules(Target(true, kNaN), {}).ok());
}

}  // namespace
}  // namespace skein
