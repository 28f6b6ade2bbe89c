// The model by which trees are suggested, against the nodes' own decisions in virtual time.
#include "skein/topology/transfer_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/event_fields.h"
#include "simulation/core_federation.h"
#include "skein/builtins/strategies.h"

namespace skein {
namespace {

constexpr double kTaskSeconds = 0.001;  // so that little of it overlaps with transfers of others
constexpr double kTolerance = 0.05;     // said in transfer_time.h and docs/topology.md

struct Tier {  // links between its nodes and their children
  double link_mbit;
  double node_mbit;  // 0: without bound
  double latency_ms;
};
struct Case {
  const char* shape;
  double model_mb;
  std::vector<Tier> tiers;
};

struct CommittedRounds : EventSink {
  void OnEvent(const Event& event) override {
    if (event.type == event::kRoundCommitted) {
      seconds.push_back(*NumberField(event.fields, "wall_s"));
    }
  }
  std::vector<double> seconds;
};

// Of a round of `skein simulate --no-training`, without the task.
double Simulated(const Case& tested, const Topology& topology) {
  RunConfig config;
  config.run_id = config.name = "sim";
  config.rounds = 2;
  config.evaluate = {.coordinator = false};
  config.conditions.compute.task_s = kTaskSeconds;
  config.conditions.model_mb = tested.model_mb;
  for (size_t tier = 0; tier < tested.tiers.size(); ++tier) {
    config.conditions.links.push_back({.tier = static_cast<int>(tier),
                                       .mb_per_s = tested.tiers[tier].link_mbit / 8,
                                       .node_mb_per_s = tested.tiers[tier].node_mbit / 8,
                                       .latency_s = tested.tiers[tier].latency_ms / 1000});
  }
  StrategyRegistries strategies;
  RegisterBuiltinStrategies(strategies);
  const auto sink = std::make_shared<CommittedRounds>();
  auto federation = CoreFederation::Create(
      {config, std::make_shared<const Topology>(topology), {}, &strategies, sink});
  EXPECT_TRUE(federation.ok()) << federation.status();
  EXPECT_EQ((*federation)->Run().status, "completed");
  EXPECT_EQ(sink->seconds.size(), 2u);
  return sink->seconds.back() - kTaskSeconds;
}

double Modelled(const Case& tested, const Topology& topology) {
  std::vector<NodeLink> links(topology.nodes().size());
  for (size_t i = 0; i < links.size(); ++i) {
    const TopologyNode& node = topology.node(i);
    if (!node.children.empty()) links[i].node_mbit = tested.tiers[node.tier].node_mbit;
    if (!node.parent) continue;
    links[i].mbit = tested.tiers[node.tier - 1].link_mbit;
    links[i].latency_ms = tested.tiers[node.tier - 1].latency_ms;
  }
  return TransfersOf(topology, links, static_cast<uint64_t>(tested.model_mb * 1e6 / 4)).round_s();
}

TEST(TransferTime, IsWithinFivePercentOfTheSimulation) {
  const std::vector<Case> cases = {
      {"flat:8", 5, {{100, 0, 20}}},
      {"flat:8", 5, {{1000, 100, 50}}},
      {"tree:1x4x4", 5, {{100, 0, 50}, {1000, 1000, 1}, {1000, 1000, 1}}},
      {"tree:1x4x4", 5, {{1000, 0, 1}, {1000, 1000, 1}, {1000, 1000, 1}}},
      {"tree:1x1x1", 5, {{100, 0, 1}, {100, 0, 1}, {100, 0, 1}}},
      {"tree:4x16", 20, {{100, 10'000, 20}, {1000, 1000, 1}}},
      {"tree:2x4x8", 20, {{200, 10'000, 80}, {500, 1000, 5}, {1000, 1000, 1}}},
      {"tree:3x3x3", 1, {{50, 0, 100}, {50, 0, 30}, {50, 0, 10}}},
      {"tree:2x8", 0.5, {{10, 0, 200}, {100, 0, 5}}},
      {"flat:8", 40, {{100, 1000, 50}}},  // one upload at a time
  };
  for (const Case& tested : cases) {
    SCOPED_TRACE(std::string(tested.shape) + ", " + std::to_string(tested.model_mb) + " MB");
    const Topology topology = Topology::FromShape(tested.shape).value();
    const double simulated = Simulated(tested, topology);
    EXPECT_NEAR(Modelled(tested, topology) / simulated, 1, kTolerance) << simulated << " s";
  }
}

}  // namespace
}  // namespace skein
