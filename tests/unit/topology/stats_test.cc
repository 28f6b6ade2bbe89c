#include "skein/topology/stats.h"

#include <limits>

#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/topology/attributes.h"

namespace skein {
namespace {

TEST(TopologyStats, CountsTiersAndTheBytesOfARound) {
  const TopologyStats stats = StatsOf(*Topology::FromShape("tree:2x4"), 1000);
  ASSERT_EQ(stats.tiers.size(), 3u);
  EXPECT_EQ(stats.tiers[0], (TierStats{1, 0, 2, 2, 2, 2 * 4000, 2 * 8000}));
  EXPECT_EQ(stats.tiers[1], (TierStats{2, 0, 4, 4, 4, 8 * 4000, 8 * 4000}));
  EXPECT_EQ(stats.tiers[2], (TierStats{0, 8, 0, 0, 0, 0, 0}));
  EXPECT_EQ(stats.root_bytes_in, 16'000u);
  EXPECT_EQ(stats.flat_root_bytes_in, 32'000u);
  EXPECT_EQ(stats.all_bytes, 88'000u);
  EXPECT_EQ(stats.flat_all_bytes, 128'000u) << "two links each way for each of 8";
}

TEST(TopologyStats, OfAFlatTreeAreThoseOfFlat) {
  const TopologyStats stats = StatsOf(*Topology::FromShape("flat:7"), 10);
  EXPECT_EQ(stats.root_bytes_in, stats.flat_root_bytes_in);
  EXPECT_EQ(stats.all_bytes, stats.flat_all_bytes);
}

// Balanced trees of 256 workers against flat over the same links, as bench/suite/traffic.py has it.
TEST(TopologyStats, AgreeWithTheAnalyticTrafficOfBalancedTrees) {
  const auto change = [](const char* shape) {
    const TopologyStats stats = StatsOf(*Topology::FromShape(shape), 1);
    return static_cast<double>(stats.all_bytes) / static_cast<double>(stats.flat_all_bytes) - 1;
  };
  EXPECT_NEAR(change("flat:256"), 0, 1e-9);
  EXPECT_NEAR(change("tree:16x16"), -0.453, 5e-4);
  EXPECT_NEAR(change("tree:4x4x4x4"), -0.627, 5e-4);
  EXPECT_NEAR(change("tree:2x2x2x2x2x2x2x2"), -0.689, 5e-4);
}

TEST(TopologyStats, WorkersMayStandBesideAggregators) {
  const Topology tree = Topology::Create({{"r", NodeRole::kCoordinator, std::nullopt, {}, ""},
                                          {"w", NodeRole::kWorker, "r", {}, ""},
                                          {"a", NodeRole::kAggregator, "r", {}, ""},
                                          {"v", NodeRole::kWorker, "a", {}, ""}})
                            .value();
  const TopologyStats stats = StatsOf(tree, 1);
  EXPECT_EQ(stats.tiers[0].bytes_up, 4u + 8u);
  EXPECT_EQ(stats.tiers[1], (TierStats{1, 1, 1, 1, 1, 4, 4}));
}

// hq -- eu.a (eu) -- 2 workers; hq -- w (us); a worker of another region below eu.a.
Topology OfRegions() {
  return Topology::Create({{"hq", NodeRole::kCoordinator, std::nullopt, {}, ""},
                           {"a", NodeRole::kAggregator, "hq", {{"region", "eu"}}, ""},
                           {"w0", NodeRole::kWorker, "a", {}, ""},
                           {"w1", NodeRole::kWorker, "a", {{"region", Value()}}, ""},
                           {"w2", NodeRole::kWorker, "a", {{"region", "us"}}, ""},
                           {"w3", NodeRole::kWorker, "hq", {}, ""}})
      .value();
}

TEST(Attributes, ARegionIsThatOfTheNodeAboveWhereThereIsNone) {
  const Topology tree = OfRegions();
  const auto regions = RegionsOf(tree);
  ASSERT_TRUE(regions.ok());
  // Breadth first: w3 stands beside the aggregator.
  EXPECT_EQ(*regions, (std::vector<std::string>{"", "eu", "", "eu", "eu", "us"}));
  EXPECT_TRUE(RegionsOf(*Topology::FromShape("flat:2"))->empty());
  const RegionTraffic traffic = BetweenRegions(tree, *regions, 1000);
  EXPECT_EQ(traffic.bytes, 12'000u + 8'000u) << "the aggregator's link, and that of w2";
  EXPECT_EQ(traffic.flat_bytes, 3 * 8'000u);
}

TEST(Attributes, AreCheckedWhereTheyAreRead) {
  const auto with = [](const std::string& name, Value value) {
    return Topology::Create({{"r", NodeRole::kCoordinator, std::nullopt, {}, ""},
                             {"w", NodeRole::kWorker, "r", {{name, std::move(value)}}, ""}})
        .value();
  };
  const auto refusal = [&](const std::string& name, Value value) {
    const Topology tree = with(name, std::move(value));
    const absl::Status status =
        name == "region" ? RegionsOf(tree).status() : LinksOf(tree).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return Message(status);
  };
  EXPECT_EQ(refusal("bandwidth_mbit", "fast"),
            "node 'w': attribute 'bandwidth_mbit': expected Mbit/s above 0, got \"fast\"");
  EXPECT_EQ(refusal("latency_ms", -1),
            "node 'w': attribute 'latency_ms': expected milliseconds from 0 on, got -1");
  EXPECT_NE(refusal("bandwidth_mbit", 0), "");
  EXPECT_NE(refusal("node_mbit", ValueList{1}), "");
  EXPECT_NE(refusal("node_mbit", true), "");
  EXPECT_NE(refusal("node_mbit", std::numeric_limits<double>::quiet_NaN()), "");
  EXPECT_NE(refusal("bandwidth_mbit", std::numeric_limits<double>::infinity()), "");
  EXPECT_EQ(refusal("region", 7), "node 'w': attribute 'region': expected a name, got 7");
  EXPECT_TRUE(LinksOf(with("bandwidth", "fast"))->empty()) << "that is nobody's";
  const auto links = LinksOf(with("latency_ms", 0));
  ASSERT_EQ(links->size(), 2u);
  EXPECT_EQ((*links)[1].latency_ms, 0);
}

}  // namespace
}  // namespace skein
