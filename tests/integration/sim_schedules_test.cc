// Whole federations under policies that decide child by child, in virtual time.
#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "support/iterations.h"
#include "support/sim_federation.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const PartSpec kFedCompass = {"fedcompass", {{"q_min", 20}, {"q_max", 100}}};
const PartSpec kTiered = {"tiered", {{"groups", 3}}};

// Workers take 2 s for 100 steps, a quarter of them ten times as long.
RunConfig ConfigOf(uint64_t versions, PartSpec policy, double spread = 0.5) {
  RunConfig config = SimFederation::Config(versions);
  config.evaluate.workers = false;
  config.strategy.policy = std::move(policy);
  config.conditions.compute = {.task_s = 2,
                               .spread = spread,
                               .jitter = 0.1,
                               .stragglers = 0.25,
                               .straggler_factor = 10,
                               .steps = 100};
  return config;
}

int64_t Count(const Event& event, const std::string& field) {
  return *event.fields.at(field).AsInt();
}

// Versions come one after another, and no update is accepted twice or used twice.
void ExpectSound(const SimFederation& federation, int64_t versions) {
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  std::set<std::pair<NodeId, int64_t>> accepted;
  std::map<int64_t, int64_t> accepted_of;  // by base
  for (const Event& event : federation.EventsOf(event::kUpdateAccepted)) {
    EXPECT_TRUE(accepted.emplace(event.node, Count(event, "seq")).second)
        << event.node << " was counted twice";
  }
  int64_t expected = 0;
  int64_t used = 0;
  for (const Event& event : federation.EventsOf(event::kVersionCommitted)) {
    EXPECT_EQ(Count(event, "version"), ++expected);
    used += Count(event, "updates");
    EXPECT_GT(Count(event, "updates"), 0);
  }
  EXPECT_EQ(expected, versions);
  EXPECT_LE(used, static_cast<int64_t>(accepted.size()));
}

std::vector<int64_t> UpdatesByVersion(const SimFederation& federation) {
  std::vector<int64_t> updates;
  for (const Event& event : federation.EventsOf(event::kVersionCommitted)) {
    updates.push_back(Count(event, "updates"));
  }
  return updates;
}

class SimSchedules : public ::testing::TestWithParam<PartSpec> {};
INSTANTIATE_TEST_SUITE_P(Policies, SimSchedules, ::testing::Values(kFedCompass, kTiered),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(SimSchedules, StragglersHoldNobodyUp) {
  SimFederation federation({.topology = Tree("flat:16"), .config = ConfigOf(200, GetParam())});
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 200);
  EXPECT_LE(ToSeconds(federation.simulation().Now()), 400) << "a synchronous round takes 20 s";
  std::set<NodeId> slow;
  for (const Event& event : federation.EventsOf(event::kUpdateAccepted)) slow.insert(event.node);
  EXPECT_THAT(slow, SizeIs(16)) << "but their updates count, too";
}

TEST_P(SimSchedules, TheSameSeedMakesTheSameRun) {
  const auto digest = [&] {
    SimFederation federation({.topology = Tree("flat:8"), .config = ConfigOf(30, GetParam())});
    EXPECT_TRUE(federation.Run());
    return federation.Digest();
  };
  const std::string one = digest();
  EXPECT_THAT(one, SizeIs(64));
  EXPECT_EQ(digest(), one);
}

TEST_P(SimSchedules, WorkersDieComeBackAndHang) {
  SimFederation federation({.topology = Tree("flat:8"),
                            .config = ConfigOf(60, GetParam()),
                            .work = [](const NodeId& id) {
                              testing::Simulation::TaskModel model;
                              if (id == "w5") model.hang = [](uint64_t n) { return n == 4; };
                              return model;
                            }});
  testing::Simulation& simulation = federation.simulation();
  simulation.At(seconds(3), [&] { federation.Kill("w2"); });
  simulation.At(seconds(9), [&] { federation.Kill("w0"); });
  simulation.At(seconds(12), [&] { federation.StartNode("w0"); });
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 60);
}

TEST_P(SimSchedules, OverSitesWithABarrier) {
  RunConfig config = ConfigOf(30, {"all", {}});
  PartSpec policy = GetParam();
  if (policy.name == "tiered") policy.params["groups"] = 2;
  config.strategy.tiers = {{.tier = 0, .policy = policy, .fold = {}}};
  SimFederation federation({.topology = Tree("tree:3x3"), .config = config});
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 30);
  for (const int64_t updates : UpdatesByVersion(federation)) {
    EXPECT_EQ(updates % 3, 0) << "a site answers with all of its workers";
  }
}

TEST_P(SimSchedules, OverGatewaysWithout) {
  RunConfig config = ConfigOf(30, {"buffered", {{"size", 2}}});
  PartSpec policy = GetParam();
  if (policy.name == "tiered") policy.params["groups"] = 2;
  config.strategy.tiers = {{.tier = 0, .policy = policy, .fold = {}}};
  SimFederation federation({.topology = Tree("tree:3x3"), .config = config});
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 30);
}

TEST_P(SimSchedules, MixingModelsKeepsTheirBases) {
  RunConfig config = ConfigOf(60, GetParam());
  config.strategy.mixing = {"models", {{"alpha", 0.6}, {"keep", 4}}};
  SimFederation federation({.topology = Tree("flat:8"), .config = config});
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 60);
}

TEST_P(SimSchedules, LinksBreak) {
  for (int seed = 0; seed < SimSeeds(5); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    auto rng = std::make_shared<Rng>(static_cast<uint64_t>(seed));
    RunConfig config = ConfigOf(25, GetParam());
    config.seed = static_cast<uint64_t>(seed);
    SimFederation federation({.topology = Tree("flat:6"),
                              .config = config,
                              .faults = [rng](const testing::FrameContext&) -> testing::Fault {
                                using Kind = testing::Fault::Kind;
                                const uint64_t draw = rng->Below(100);
                                if (draw < 3) return {Kind::kCut};
                                if (draw < 6) return {Kind::kDelay, milliseconds(rng->Below(300))};
                                return {};
                              }});
    ASSERT_TRUE(federation.Run());
    ExpectSound(federation, 25);
  }
}

TEST_P(SimSchedules, EverybodyIsLost) {
  SimFederation federation({.topology = Tree("flat:3"), .config = ConfigOf(1000, GetParam())});
  for (const char* worker : {"w0", "w1", "w2"}) {
    federation.simulation().At(seconds(20), [&federation, worker] { federation.Kill(worker); });
  }
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "failed");
  EXPECT_THAT(federation.outcome().reason, HasSubstr("no child is left to contribute"));
}

// ---- FedCompass ----

TEST(SimFedCompass, EqualSpeedsArriveTogether) {
  RunConfig config = ConfigOf(20, kFedCompass);
  config.conditions.compute = {.task_s = 2, .steps = 100};
  SimFederation federation({.topology = Tree("flat:8"), .config = config});
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 20);
  std::vector<int64_t> updates = UpdatesByVersion(federation);
  updates.erase(updates.begin(), updates.begin() + 8);  // each by itself, to measure it
  EXPECT_THAT(updates, Each(8));
  size_t seen = 0;
  for (const Event& event : federation.EventsOf(event::kUpdateAccepted)) {
    if (++seen > 8) {
      EXPECT_EQ(Count(event, "staleness"), 0);
    }
  }
}

// A version takes more of them in than FedAsync's, and they are less stale.
TEST(SimFedCompass, GroupsAreLargerAndFresherThanSingleUpdates) {
  const auto staleness = [](const PartSpec& policy) {
    SimFederation federation({.topology = Tree("flat:16"), .config = ConfigOf(150, policy)});
    EXPECT_TRUE(federation.Run());
    ExpectSound(federation, 150);
    const auto accepted = federation.EventsOf(event::kUpdateAccepted);
    double sum = 0;
    for (const Event& event : accepted) sum += static_cast<double>(Count(event, "staleness"));
    return sum / static_cast<double>(accepted.size());
  };
  EXPECT_LT(staleness(kFedCompass), 0.5 * staleness({"every_update", {}}));
}

// ---- tiered ----

TEST(SimTiered, OneGroupOfEqualSpeedsIsSynchronousFedAvgToTheBit) {
  RunConfig config = ConfigOf(5, {"all", {}});
  config.conditions.compute = {.task_s = 2};
  SimFederation synchronous({.topology = Tree("flat:8"), .config = config});
  ASSERT_TRUE(synchronous.Run());
  config.strategy.policy = {"tiered", {{"groups", 1}}};
  SimFederation tiered({.topology = Tree("flat:8"), .config = config});
  ASSERT_TRUE(tiered.Run());
  ExpectSound(tiered, 5);
  EXPECT_THAT(tiered.Digest(), SizeIs(64));
  EXPECT_EQ(tiered.Digest(), synchronous.Digest());
}

TEST(SimTiered, GroupsAtASiteUnderASynchronousRoot) {
  RunConfig config = ConfigOf(10, {"all", {}});
  config.strategy.tiers = {
      {.tier = 1, .policy = PartSpec{"tiered", {{"groups", 2}, {"weights", "none"}}}, .fold = {}}};
  SimFederation federation({.topology = Tree("tree:2x6"), .config = config});
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  EXPECT_THAT(federation.EventsOf(event::kRoundCommitted), SizeIs(10));
}

}  // namespace
}  // namespace skein
