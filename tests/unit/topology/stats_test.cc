#include "skein/topology/stats.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace skein
