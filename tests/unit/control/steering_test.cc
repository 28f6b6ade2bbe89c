// What ships to steer with, and the record of what was decided.
#include "skein/control/steering.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/steering/steering_events.h"
#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using Moment = SteeringRecord::Moment;

std::shared_ptr<Steering> Make(const PartSpec& part) {
  SteeringRegistry registry("steering");
  RegisterBuiltinSteering(registry);
  auto made = registry.Create(part);
  EXPECT_TRUE(made.ok()) << made.status();
  return made.ok() ? *made : nullptr;
}

SteeringRecord Evaluation(uint64_t round, double loss, double lr,
                          const std::string& where = "coordinator") {
  SteeringRecord record;
  record.moment = Moment::kEvaluated;
  record.round = round;
  record.where = where;
  record.metrics = {{"loss", loss}};
  record.strategy.optimizer = {"sgd", {{"lr", lr}}};
  return record;
}

TEST(ReduceOnPlateau, ReducesAndWaitsAnew) {
  const auto steering =
      Make({"reduce_on_plateau", {{"rounds", 2}, {"factor", 0.5}, {"min_lr", 0.2}}});
  double lr = 1;
  std::vector<double> rates;
  for (uint64_t round = 1; round <= 9; ++round) {
    const SteeringDecision decision = steering->Decide(Evaluation(round, 3, lr)).value();
    if (decision.optimizer) {
      EXPECT_EQ(decision.optimizer->name, "");
      EXPECT_NE(decision.why, "");
      lr = *decision.optimizer->params.at("lr").AsDouble();
    }
    rates.push_back(lr);
  }
  EXPECT_THAT(rates, ::testing::ElementsAre(1, 1, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2));
}

TEST(ReduceOnPlateau, LooksAtOnePlaceOnly) {
  const auto steering = Make({"reduce_on_plateau", {{"rounds", 1}}});
  EXPECT_TRUE(steering->Decide(Evaluation(1, 3, 1)).value().empty());
  EXPECT_TRUE(steering->Decide(Evaluation(2, 3, 1, "workers")).value().empty());
  SteeringRecord committed = Evaluation(2, 3, 1);
  committed.moment = Moment::kCommitted;
  EXPECT_TRUE(steering->Decide(committed).value().empty());
  EXPECT_FALSE(steering->Decide(Evaluation(2, 3, 1)).value().empty());
}

TEST(ReduceOnPlateau, AnOptimizerWithoutARateIsAnError) {
  const auto steering = Make({"reduce_on_plateau", {{"rounds", 1}}});
  SteeringRecord record = Evaluation(1, 3, 1);
  record.strategy.optimizer = {"own", {}};
  EXPECT_TRUE(steering->Decide(record).ok());
  record.round = 2;
  EXPECT_THAT(Message(steering->Decide(record).status()), HasSubstr("no parameter 'lr'"));
}

SteeredStep FullStep() {
  SteeredStep step{
      .moment = Moment::kEvaluated, .round = 7, .where = "workers", .change = 3, .decision = {}};
  step.decision.why = "it said \"so\"\n";
  step.decision.selector = PartSpec{"count", {{"count", 3}}};
  step.decision.optimizer = PartSpec{"sgd", {{"lr", 0.1}}};
  step.decision.policies = {{0, {"all", {{"timeout_s", 600.5}}}},
                            {1, {"quorum", {{"count", 2}, {"text", "true"}}}}};
  step.decision.from_version = 9;
  return step;
}

void ExpectSame(const SteeredStep& a, const SteeredStep& b) {
  EXPECT_EQ(a.moment, b.moment);
  EXPECT_EQ(a.round, b.round);
  EXPECT_EQ(a.where, b.where);
  EXPECT_EQ(a.change, b.change);
  EXPECT_EQ(a.decision.why, b.decision.why);
  EXPECT_EQ(a.decision.stop, b.decision.stop);
  EXPECT_EQ(a.decision.selector, b.decision.selector);
  EXPECT_EQ(a.decision.optimizer, b.decision.optimizer);
  EXPECT_EQ(a.decision.policies, b.decision.policies);
  EXPECT_EQ(a.decision.from_version, b.decision.from_version);
}

TEST(SteeringEvents, SayAllOfADecision) {
  ExpectSame(SteeredStepOf(ToEvent(FullStep())).value(), FullStep());
  SteeredStep stop;
  stop.round = 2;
  stop.decision.stop = "enough";
  ExpectSame(SteeredStepOf(ToEvent(stop)).value(), stop);
}

TEST(SteeringEvents, WhatIsNotOursIsRefused) {
  for (const auto& [field, value] :
       std::vector<std::pair<std::string, Value>>{{"on", "noticed"},
                                                  {"stop", 3},
                                                  {"selector", "all"},
                                                  {"optimizer", ValueMap{{"name", "sgd"}}},
                                                  {"policies", ValueList{"all"}},
                                                  {"policies", ValueList{ValueMap{{"tier", 1}}}}}) {
    Event event = ToEvent(FullStep());
    event.fields[field] = value;
    EXPECT_THAT(Message(SteeredStepOf(event).status()), HasSubstr("'" + field + "'"));
  }
}

class ReplayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "/replay_" +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void Write(const std::vector<Event>& events) {
    std::ofstream file(directory_ + "/events.jsonl");
    for (const Event& event : events) file << ToJsonLine(event) << '\n';
  }

  std::string directory_;
};

TEST_F(ReplayTest, DecidesAtTheSamePlaces) {
  Write({{0, event::kRunStarted, 0, "", {{"name", "x"}}}, ToEvent(FullStep())});
  const auto replay = Make({"replay", {{"run", directory_}}});
  ASSERT_NE(replay, nullptr);
  SteeringRecord record = Evaluation(7, 1, 1, "workers");
  const SteeringDecision decision = replay->Decide(record).value();
  EXPECT_EQ(decision.selector, FullStep().decision.selector);
  EXPECT_EQ(decision.optimizer, FullStep().decision.optimizer);
  EXPECT_EQ(decision.policies, FullStep().decision.policies);
  EXPECT_EQ(decision.why, FullStep().decision.why);
  record.where = "coordinator";
  EXPECT_TRUE(replay->Decide(record).value().empty());
  record = Evaluation(8, 1, 1, "workers");
  EXPECT_TRUE(replay->Decide(record).value().empty());
}

TEST_F(ReplayTest, WithoutABarrierAChangeHoldsFromTheVersionThatItHeldFrom) {
  std::vector<Event> events = {ToEvent(FullStep())};
  for (uint64_t version = 8; version <= 12; ++version) {
    events.push_back({0, event::kVersionCommitted, version, "root", {}});
    if (version > 10) events.back().fields["change"] = 3;
  }
  const auto replay = MakeReplaySteering(events).value();
  EXPECT_EQ(replay->Decide(Evaluation(7, 1, 1, "workers")).value().from_version, 11u);
}

TEST_F(ReplayTest, WhatCannotBeReadIsRefused) {
  EXPECT_EQ(ReadSteeringEvents(directory_ + "/nowhere").status().code(),
            absl::StatusCode::kNotFound);
  std::ofstream(directory_ + "/events.jsonl") << "{\"event\":\"steered\",\"round\":[\n";
  EXPECT_THAT(Message(ReadSteeringEvents(directory_).status()), HasSubstr("events.jsonl:1"));
  EXPECT_FALSE(MakeReplaySteering({ToEvent(FullStep()), ToEvent(FullStep())}).ok());
}

}  // namespace
}  // namespace skein
