// Whole federations without a barrier, in virtual time.
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sim_federation.h"

namespace skein {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::SizeIs;

RunConfig AsyncConfig(uint64_t versions, PartSpec policy) {
  RunConfig config = SimFederation::Config(versions);
  config.evaluate.workers = false;
  config.strategy.policy = std::move(policy);
  return config;
}

PartSpec Buffered(int64_t size) { return {"buffered", {{"size", size}}}; }

// Every worker takes a second for a task, those in `slow` ten.
std::function<testing::Simulation::TaskModel(const NodeId&)> Speeds(std::set<NodeId> slow) {
  return [slow](const NodeId& id) {
    testing::Simulation::TaskModel model;
    model.duration = [work = slow.contains(id) ? seconds(10) : seconds(1)](uint64_t n) -> Duration {
      return n == 0 ? Duration(0) : work;
    };
    return model;
  };
}

uint64_t Count(const Event& event, const std::string& field) {
  return static_cast<uint64_t>(*event.fields.at(field).AsInt());
}

// What must hold of every run: versions one after another, every accepted update in one version.
void ExpectSound(const SimFederation& federation, uint64_t versions) {
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  std::set<std::pair<NodeId, uint64_t>> accepted;
  for (const Event& event : federation.EventsOf(event::kUpdateAccepted)) {
    EXPECT_TRUE(accepted.emplace(event.node, Count(event, "seq")).second)
        << event.node << " was counted twice";
  }
  uint64_t expected = 0;
  uint64_t counted = 0;
  for (const Event& event : federation.EventsOf(event::kVersionCommitted)) {
    EXPECT_EQ(Count(event, "version"), ++expected);
    counted += Count(event, "updates");
    uint64_t of_bases = 0;
    for (const Value& base : *event.fields.at("bases").AsList()) {
      const ValueMap& fields = *base.AsMap();
      EXPECT_LT(*fields.at("version").AsInt(), static_cast<int64_t>(expected));
      of_bases += static_cast<uint64_t>(*fields.at("updates").AsInt());
    }
    EXPECT_EQ(of_bases, Count(event, "updates"));
  }
  EXPECT_EQ(expected, versions);
  EXPECT_LE(counted, accepted.size());
}

TEST(SimAsync, EqualSpeedsAndABufferForEverybodyIsSynchronousFedAvgToTheBit) {
  RunConfig config = AsyncConfig(5, {"all", {}});
  SimFederation synchronous({.topology = Tree("flat:8"), .config = config, .work = Speeds({})});
  ASSERT_TRUE(synchronous.Run());
  config.strategy.policy = Buffered(8);
  SimFederation buffered({.topology = Tree("flat:8"), .config = config, .work = Speeds({})});
  ASSERT_TRUE(buffered.Run());
  ExpectSound(buffered, 5);
  EXPECT_THAT(buffered.Digest(), SizeIs(64));
  EXPECT_EQ(buffered.Digest(), synchronous.Digest());
}

TEST(SimAsync, ASlowWorkerHoldsNobodyUp) {
  const auto seconds_for = [](const PartSpec& policy) {
    SimFederation federation(
        {.topology = Tree("flat:8"), .config = AsyncConfig(20, policy), .work = Speeds({"w3"})});
    EXPECT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    return ToSeconds(federation.simulation().Now());
  };
  const double synchronous = seconds_for({"all", {}});
  EXPECT_GE(synchronous, 200);
  EXPECT_LE(seconds_for(Buffered(4)), 20);
  EXPECT_LE(seconds_for({"interval", {{"period_s", 1.0}}}), 40);
}

TEST(SimAsync, TheSlowWorkersUpdateCountsAsStale) {
  SimFederation federation(
      {.topology = Tree("flat:8"), .config = AsyncConfig(40, Buffered(4)), .work = Speeds({"w3"})});
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 40);
  std::vector<uint64_t> staleness;
  for (const Event& event : federation.EventsOf(event::kUpdateAccepted)) {
    if (event.node == "w3") staleness.push_back(Count(event, "staleness"));
  }
  ASSERT_FALSE(staleness.empty());
  EXPECT_GE(staleness[0], 10u);
  EXPECT_LE(staleness[0], 25u);
}

TEST(SimAsync, FedAsyncMixesModels) {
  RunConfig config = AsyncConfig(30, {"every_update", {}});
  config.strategy.mixing = {"models", {{"alpha", 0.6}}};
  config.strategy.staleness = {"polynomial", {{"a", 0.5}}};
  SimFederation federation({.topology = Tree("flat:4"), .config = config, .work = Speeds({"w1"})});
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 30);
  for (const Event& event : federation.EventsOf(event::kVersionCommitted)) {
    EXPECT_EQ(Count(event, "updates"), 1u);
  }
}

TEST(SimAsync, FedAsyncMixesModelsOfBufferedGateways) {
  RunConfig config = AsyncConfig(40, {"every_update", {}});
  config.strategy.mixing = {"models", {{"alpha", 0.6}}};
  config.strategy.tiers = {{.tier = 1, .policy = Buffered(2), .fold = {}}};
  SimFederation federation(
      {.topology = Tree("tree:3x2"), .config = config, .work = Speeds({"w1", "w4"})});
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 40);
  // What is older than the versions that are kept is refused, and the run goes on.
  for (const Event& event : federation.EventsOf(event::kUpdateRejected)) {
    EXPECT_THAT(*event.fields.at("reason").AsString(), ::testing::HasSubstr("no longer kept"));
  }
}

TEST(SimAsync, SynchronousSitesUnderAnAsynchronousRoot) {
  RunConfig config = AsyncConfig(20, {"all", {}});
  config.strategy.tiers = {{.tier = 0, .policy = PartSpec{"every_update", {}}, .fold = {}}};
  SimFederation federation(
      {.topology = Tree("tree:2x4"), .config = config, .work = Speeds({"w0"})});
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 20);
  EXPECT_LE(ToSeconds(federation.simulation().Now()), 25) << "the site of w0 holds nobody up";
  for (const Event& event : federation.EventsOf(event::kVersionCommitted)) {
    EXPECT_EQ(Count(event, "updates"), 4u) << "a site answers with all of its workers";
  }
}

TEST(SimAsync, BufferedGatewaysUnderASynchronousRoot) {
  RunConfig config = AsyncConfig(6, {"all", {}});
  config.strategy.tiers = {{.tier = 1, .policy = Buffered(3), .fold = {}}};
  SimFederation federation(
      {.topology = Tree("tree:2x4"), .config = config, .work = Speeds({"w0"})});
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  EXPECT_THAT(federation.EventsOf(event::kRoundCommitted), SizeIs(6));
  EXPECT_LE(ToSeconds(federation.simulation().Now()), 12);
}

TEST(SimAsync, BufferedAtEveryTier) {
  RunConfig config = AsyncConfig(20, Buffered(2));
  SimFederation federation(
      {.topology = Tree("tree:2x2x4"), .config = config, .work = Speeds({"w0", "w9"})});
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 20);
}

TEST(SimAsync, TheSameSeedMakesTheSameRun) {
  const auto digest = [] {
    SimFederation federation({.topology = Tree("tree:2x4"),
                              .config = AsyncConfig(15, Buffered(2)),
                              .work = Speeds({"w2"})});
    EXPECT_TRUE(federation.Run());
    return federation.Digest();
  };
  EXPECT_EQ(digest(), digest());
}

// The link of w0 breaks at the very end of its upload, so that sums are open for it when the site
// gives up.
TEST(SimAsync, ASiteThatGaveUpGoesOnWithAWorkerThatComesBack) {
  RunConfig config = AsyncConfig(30, {"every_update", {}});
  SimFederation* running = nullptr;
  bool killed = false;
  SimFederation::Options options{.topology = Tree("tree:2x1"), .config = config};
  options.work = Speeds({});
  options.faults = [&](const testing::FrameContext& frame) -> testing::Fault {
    if (killed || frame.node != "w0" || !frame.up) return {};
    if (!std::holds_alternative<TrailerFrame>(*frame.frame)) return {};
    killed = true;
    running->Kill("w0");
    return {testing::Fault::Kind::kDrop};
  };
  SimFederation federation(options);
  running = &federation;
  federation.simulation().At(seconds(4), [&] { federation.StartNode("w0"); });
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 30);
  const auto left_out = federation.EventsOf(event::kWorkerLeftOut);
  ASSERT_FALSE(left_out.empty());
  const auto accepted = federation.EventsOf(event::kUpdateAccepted);
  EXPECT_TRUE(std::any_of(accepted.begin(), accepted.end(),
                          [](const Event& event) { return event.node == "w0"; }));
}

TEST(SimAsync, ARunThatHasLostEverybodyEnds) {
  SimFederation federation(
      {.topology = Tree("flat:2"), .config = AsyncConfig(1000, Buffered(2)), .work = Speeds({})});
  for (const char* worker : {"w0", "w1"}) {
    federation.simulation().At(seconds(5), [&federation, worker] { federation.Kill(worker); });
  }
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "failed");
  EXPECT_THAT(federation.outcome().reason, ::testing::HasSubstr("no child is left"));
}

TEST(SimAsync, AWorkerThatIsLostIsMissedByNobody) {
  SimFederation federation(
      {.topology = Tree("flat:4"), .config = AsyncConfig(30, Buffered(2)), .work = Speeds({})});
  federation.simulation().At(seconds(5), [&] { federation.Kill("w2"); });
  ASSERT_TRUE(federation.Run());
  ExpectSound(federation, 30);
}

}  // namespace
}  // namespace skein
