// Whole federations under made-up conditions, in virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sim_federation.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

RunConfig ConfigWith(Conditions conditions, uint64_t rounds) {
  RunConfig config = SimFederation::Config(rounds);
  config.evaluate.workers = false;
  config.conditions = std::move(conditions);
  return config;
}

// Seconds from the first round's opening to the last commit.
double Makespan(const std::string& shape, const RunConfig& config) {
  SimFederation federation({.topology = Tree(shape), .config = config});
  EXPECT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  const auto opened = federation.EventsOf(event::kRoundOpened);
  double end = 0;
  for (const Event& event : federation.events()) {
    const bool commit =
        event.type == event::kRoundCommitted || event.type == event::kVersionCommitted;
    if (commit) end = event.time_s;
  }
  return opened.empty() ? 0 : end - opened.front().time_s;
}

TEST(SimConditions, ARoundTakesAsLongAsItsSlowestWorker) {
  const Conditions conditions = {
      .compute = {.task_s = 2, .stragglers = 0.25, .straggler_factor = 10}};
  EXPECT_NEAR(Makespan("flat:8", ConfigWith(conditions, 3)), 60, 0.5);
  EXPECT_NEAR(Makespan("flat:8", ConfigWith({.compute = {.task_s = 2}}, 3)), 6, 0.5);
}

TEST(SimConditions, WithoutABarrierStragglersHoldNobodyUp) {
  RunConfig config =
      ConfigWith({.compute = {.task_s = 2, .stragglers = 0.25, .straggler_factor = 10}}, 12);
  config.strategy.policy = {"buffered", {{"size", 4}}};
  EXPECT_LE(Makespan("flat:8", config), 36);
}

// 4 MB down and 4 MB up through 1 MB/s each: 8 s a round. Where four children share 2 MB/s of the
// parent all have their models after 8 s; grants wait behind these, so that updates come after
// them.
TEST(SimConditions, LinksCarryWhatTheyCan) {
  Conditions conditions = {.links = {{.tier = 0, .mb_per_s = 1}}, .model_mb = 4};
  EXPECT_NEAR(Makespan("flat:4", ConfigWith(conditions, 1)), 8, 0.5);
  conditions.links[0].node_mb_per_s = 2;
  EXPECT_NEAR(Makespan("flat:4", ConfigWith(conditions, 1)), 16, 0.5);
}

TEST(SimConditions, BytesCountAsTheModelIsSaidToBe) {
  SimFederation federation({.topology = Tree("flat:4"), .config = ConfigWith({.model_mb = 5}, 1)});
  ASSERT_TRUE(federation.Run());
  const auto ended = federation.EventsOf(event::kRunEnded);
  ASSERT_THAT(ended, SizeIs(1));
  const ValueMap& root = *(*ended[0].fields.at("bytes").AsList())[0].AsMap();
  EXPECT_NEAR(static_cast<double>(*root.at("up").AsInt()), 20e6, 0.1e6);
}

// A payload is the share of the model that it is, not a model.
TEST(SimConditions, WhatIsEncodedCountsAsMuchLess) {
  RunConfig config = ConfigWith({.model_mb = 5}, 2);
  config.strategy.links.updates = {PartSpec{"int8", {}}};
  config.strategy.links.models = {PartSpec{"delta", {}}, PartSpec{"int8", {}}};
  SimFederation federation({.topology = Tree("flat:4"), .config = config});
  ASSERT_TRUE(federation.Run());
  const auto ended = federation.EventsOf(event::kRunEnded);
  ASSERT_THAT(ended, SizeIs(1));
  const ValueMap& root = *(*ended[0].fields.at("bytes").AsList())[0].AsMap();
  // The first model is whole; of so small a one a payload is some two fifths.
  EXPECT_NEAR(static_cast<double>(*root.at("up").AsInt()), 2 * 20e6 * 0.4, 3e6);
  EXPECT_NEAR(static_cast<double>(*root.at("down").AsInt()), 20e6 * 1.4, 3e6);
}

TEST(SimConditions, TheSameSeedMakesTheSameEvents) {
  const auto lines = [](uint64_t seed) {
    RunConfig config =
        ConfigWith({.compute = {.task_s = 2, .spread = 0.7, .jitter = 0.2},
                    .links = {{.tier = 0, .mb_per_s = 1, .latency_s = 0.01, .loss = 0.02}},
                    .model_mb = 1},
                   5);
    config.seed = seed;
    config.strategy.policy = {"buffered", {{"size", 3}}};
    SimFederation federation({.topology = Tree("flat:8"), .config = config});
    EXPECT_TRUE(federation.Run());
    std::vector<std::string> text;
    for (Event event : federation.events()) {
      event.fields.erase("peak_rss_mib");
      text.push_back(ToJsonLine(event));
    }
    return text;
  };
  const auto one = lines(1);
  EXPECT_THAT(one, Not(IsEmpty()));
  EXPECT_EQ(one, lines(1));
  EXPECT_NE(one, lines(2));
}

// A learner that is told to stop does not wait for its pace.
TEST(SimConditions, WhoIsCancelledIsFreeAtOnce) {
  RunConfig config =
      ConfigWith({.compute = {.task_s = 1, .stragglers = 0.25, .straggler_factor = 100}}, 3);
  config.strategy.policy = {"quorum", {{"count", 6}}};
  EXPECT_LE(Makespan("flat:8", config), 4);
}

TEST(SimConditions, ATraceDecides) {
  const TempDir directory;
  const std::string path = directory / "trace.csv";
  WriteAll(path, "worker,task,seconds\nw0,0,5\nw0,1,1\nw1,0,2\n");
  EXPECT_NEAR(Makespan("flat:2", ConfigWith({.compute = {.trace = path}}, 2)), 7, 0.1);
}

}  // namespace
}  // namespace skein
