#include "simulation/core_federation.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/event_fields.h"
#include "skein/builtins/strategies.h"
#include "skein/observe/round_tracker.h"

namespace skein {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;

struct Recorder : EventSink {
  void OnEvent(const Event& event) override { events.push_back(event); }
  std::vector<Event> Of(const std::string& type) const {
    std::vector<Event> found;
    for (const Event& event : events) {
      if (event.type == type) found.push_back(event);
    }
    return found;
  }
  std::vector<Event> events;
};

class CoreFederationTest : public testing::Test {
 protected:
  CoreFederationTest() {
    RegisterBuiltinStrategies(strategies_);
    config_.run_id = config_.name = "sim";
    config_.rounds = 3;
    config_.seed = 1;
    config_.conditions.compute.task_s = 10;
    config_.conditions.model_mb = 1;
  }

  RunOutcome Run(const std::string& shape) {
    sink_ = std::make_shared<Recorder>();
    auto topology = std::make_shared<const Topology>(Topology::FromShape(shape).value());
    auto federation = CoreFederation::Create({config_, topology, stop_, &strategies_, sink_});
    EXPECT_TRUE(federation.ok()) << federation.status();
    return (*federation)->Run();
  }
  void Policy(int tier, PartSpec policy) {
    config_.strategy.tiers.push_back({.tier = tier, .policy = std::move(policy)});
  }
  uint64_t Accepted() const { return sink_->Of(event::kUpdateAccepted).size(); }
  double EndedAt() const { return sink_->Of(event::kRunEnded).at(0).time_s; }

  StrategyRegistries strategies_;
  RunConfig config_;
  StopRules stop_;
  std::shared_ptr<Recorder> sink_;
};

TEST_F(CoreFederationTest, RoundsTakeAsLongAsTheTasks) {
  const RunOutcome outcome = Run("tree:2x3x4");
  EXPECT_EQ(outcome.status, "completed") << outcome.reason;
  EXPECT_EQ(outcome.rounds, 3u);
  EXPECT_EQ(Accepted(), 72u);
  EXPECT_EQ(sink_->Of(event::kPartialAccepted).size(), 3u * (2 + 6));
  EXPECT_DOUBLE_EQ(EndedAt(), 30);
  for (const Event& event : sink_->Of(event::kRoundCommitted)) {
    EXPECT_EQ(TextField(event.fields, "roster"), "0-23");
    EXPECT_EQ(CountField(event.fields, "samples"), 24u);
  }
}

TEST_F(CoreFederationTest, TrafficIsCountedByTier) {
  ASSERT_EQ(Run("tree:2x4").status, "completed");
  const std::vector<TierTraffic> bytes = TrafficOf(sink_->Of(event::kRunEnded).at(0));
  ASSERT_EQ(bytes.size(), 2u);
  constexpr double kMb = 1e6;
  EXPECT_NEAR(bytes[0].up / kMb, 3 * 2 * 2, 0.01) << "two partials of int64 a round";
  EXPECT_NEAR(bytes[0].down / kMb, 3 * 2, 0.01);
  EXPECT_NEAR(bytes[1].up / kMb, 3 * 8, 0.02);
  EXPECT_NEAR(bytes[1].down / kMb, 3 * 8, 0.02);
}

TEST_F(CoreFederationTest, ModelsAreSentOnWhileTheyArrive) {
  config_.rounds = 1;
  config_.conditions.model_mb = 100;
  for (int tier : {0, 1, 2}) {
    LinkConditions links;
    links.tier = tier;
    links.mb_per_s = 10;
    config_.conditions.links.push_back(links);
  }
  ASSERT_EQ(Run("tree:1x1x1").status, "completed");
  // Down through three tiers at once, up an update of 10 s and two partials of 20 s.
  EXPECT_NEAR(EndedAt(), 10 + 10 + 10 + 2 * 20, 1);
}

TEST_F(CoreFederationTest, LocalRoundsAreDoneBelow) {
  config_.strategy.tiers.push_back({.tier = 1, .kappa = 3});
  const RunOutcome outcome = Run("tree:2x2");
  EXPECT_EQ(outcome.status, "completed") << outcome.reason;
  EXPECT_EQ(Accepted(), 3u * 3 * 4);
  EXPECT_DOUBLE_EQ(EndedAt(), 90);
}

TEST_F(CoreFederationTest, AQuorumDoesNotWaitForStragglers) {
  config_.conditions.compute.stragglers = 0.25;
  config_.strategy.policy = {"quorum", {{"count", int64_t{3}}}};
  const RunOutcome outcome = Run("flat:4");
  EXPECT_EQ(outcome.status, "completed") << outcome.reason;
  EXPECT_DOUBLE_EQ(EndedAt(), 30);
  EXPECT_EQ(Accepted(), 9u);
  EXPECT_EQ(sink_->Of(event::kWorkerLeftOut).size(), 3u);
}

TEST_F(CoreFederationTest, WithoutABarrierStragglersCountWithTheirStaleness) {
  config_.rounds = 60;
  config_.conditions.compute.stragglers = 0.125;
  Policy(0, {"buffered", {{"size", int64_t{2}}}});
  Policy(1, {"buffered", {{"size", int64_t{2}}}});
  const RunOutcome outcome = Run("tree:2x4");
  EXPECT_EQ(outcome.status, "completed") << outcome.reason;
  uint64_t oldest = 0;
  for (const Event& event : sink_->Of(event::kUpdateAccepted)) {
    oldest = std::max(oldest, CountField(event.fields, "staleness"));
  }
  EXPECT_GT(oldest, 5u);
  uint64_t updates = 0;
  for (const Event& event : sink_->Of(event::kVersionCommitted)) {
    updates += CountField(event.fields, "updates");
  }
  EXPECT_THAT(updates, AllOf(Ge(60u * 4), Le(Accepted())));
}

TEST_F(CoreFederationTest, WorkersThatGoAreLeftOutAndComeBack) {
  config_.rounds = 20;
  config_.conditions.availability.up_s = 50;
  config_.conditions.availability.down_s = 20;
  config_.strategy.policy = {"quorum", {{"count", int64_t{1}}}};
  const RunOutcome outcome = Run("tree:3x6");
  EXPECT_EQ(outcome.status, "completed") << outcome.reason;
  const size_t lost = sink_->Of(event::kNodeLost).size();
  EXPECT_GT(lost, 5u);
  EXPECT_GT(sink_->Of(event::kNodeStarted).size(), 22u) << "some came back";
}

TEST_F(CoreFederationTest, RulesEndTheRunWithTheLastVersion) {
  config_.rounds = 50;
  stop_.time_s = 95;
  EXPECT_EQ(Run("tree:2x3").status, "completed");
  EXPECT_EQ(sink_->Of(event::kRoundCommitted).size(), 9u);
  stop_ = {};
  stop_.bytes_mb = 100;  // a round moves 6 + 6 + 2 + 4 MB
  EXPECT_EQ(Run("tree:2x3").status, "completed");
  EXPECT_EQ(sink_->Of(event::kRoundCommitted).size(), 6u);
  Policy(0, {"every_update", {}});
  EXPECT_EQ(Run("tree:2x3").status, "completed");
  EXPECT_THAT(sink_->Of(event::kVersionCommitted).size(), AllOf(Ge(10u), Le(14u)));
}

TEST_F(CoreFederationTest, UnderAllALossEndsTheRun) {
  config_.conditions.availability.up_s = 5;
  const RunOutcome outcome = Run("flat:8");
  EXPECT_EQ(outcome.status, "failed");
  EXPECT_THAT(outcome.reason, HasSubstr("was lost"));
}

TEST_F(CoreFederationTest, IsAFunctionOfTheSeed) {
  config_.conditions.compute.spread = 0.5;
  config_.conditions.compute.jitter = 0.2;
  Policy(0, {"every_update", {}});
  Run("tree:3x3");
  const std::vector<Event> first = sink_->events;
  Run("tree:3x3");
  ASSERT_EQ(sink_->events.size(), first.size());
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(ToJsonLine(sink_->events[i]), ToJsonLine(first[i]));
  }
  config_.seed = 2;
  Run("tree:3x3");
  EXPECT_NE(ToJsonLine(sink_->events.back()), ToJsonLine(first.back()));
}

TEST_F(CoreFederationTest, AModelMustHaveASize) {
  config_.conditions.model_mb = 0;
  auto topology = std::make_shared<const Topology>(Topology::FromShape("flat:2").value());
  auto federation = CoreFederation::Create({config_, topology, {}, &strategies_, nullptr});
  EXPECT_EQ(federation.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(federation.status().message(), HasSubstr("conditions.model_mb"));
}

}  // namespace
}  // namespace skein
