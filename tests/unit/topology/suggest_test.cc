#include "skein/topology/suggest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/topology/transfer_time.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kParameters = 12'500'000;  // 50 MB: 4 s at 100 Mbit/s

Region Far(const std::string& name, size_t workers) {
  return {name,
          workers,
          /*uplink_mbit=*/100,
          /*uplink_latency_ms=*/50,
          /*local_mbit=*/1000,
          /*local_latency_ms=*/1};
}

// By hand: 8 workers behind an uplink of 100 Mbit/s.
TEST(SuggestTopology, CountsByItsModel) {
  const auto suggestion =
      SuggestTopology({.regions = {Far("eu", 8)}, .parameters = kParameters, .root_mbit = 1000});
  ASSERT_TRUE(suggestion.ok()) << suggestion.status();
  const auto& candidates = suggestion->candidates;
  ASSERT_EQ(candidates.size(), 4u);  // none, 2, 4, 8
  // 8 models and 8 updates through the uplink, three latencies down; of updates of 50 MB one is
  // sent at a time, each after the grant of its turn.
  EXPECT_EQ(candidates[0].max_children, 0u);
  EXPECT_NEAR(candidates[0].round_s, (3 * 0.05 + 8 * 4.0) + (17 * 0.05 + 8 * 4.0), 1e-9);
  // One aggregator. Down: the uplink's 4 s are slower than the site's 8 x 0.4, and the last chunk
  // (a MiB of 50 MB) still has to come to the workers; up: 8 updates, then sums of twice the size.
  constexpr double kChunk = 1048576 / 50e6;
  EXPECT_EQ(candidates[3].max_children, 8u);
  EXPECT_NEAR(
      candidates[3].round_s,
      (3 * 0.05 + 4.0) + (0.001 + kChunk * 8 * 0.4) + (17 * 0.001 + 8 * 0.4) + (3 * 0.05 + 8.0),
      1e-9);
  // Four children of each: two aggregators below the region's.
  EXPECT_EQ(candidates[2].max_children, 4u);
  EXPECT_NEAR(candidates[2].round_s,
              (3 * 0.05 + 4.0) + (0.001 + kChunk * 2 * 0.4) + (0.001 + kChunk * 4 * 0.4) +
                  (9 * 0.001 + 4 * 0.4) + (5 * 0.001 + 2 * 0.8) + (3 * 0.05 + 8.0),
              1e-9);
  double least = candidates[0].round_s;
  for (const Candidate& candidate : candidates) least = std::min(least, candidate.round_s);
  EXPECT_EQ(suggestion->round_s, least);
}

TEST(SuggestTopology, NeedsNoAggregatorsWhereLinksAreFast) {
  const Region near = {"here", 4, 10'000, 0.1, 10'000, 0.1};
  const auto suggestion = SuggestTopology({.regions = {near}, .parameters = 1000});
  ASSERT_TRUE(suggestion.ok());
  EXPECT_EQ(suggestion->topology.num_tiers(), 2);
  EXPECT_EQ(suggestion->topology.num_workers(), 4u);
}

TEST(SuggestTopology, GivesEachRegionATreeOfItsOwn) {
  const auto suggestion = SuggestTopology(
      {.regions = {Far("eu", 40), Far("us", 9), Far("ap", 1)}, .parameters = kParameters});
  ASSERT_TRUE(suggestion.ok());
  const Topology& tree = suggestion->topology;
  EXPECT_EQ(tree.num_workers(), 50u);
  EXPECT_EQ(tree.root().children.size(), 3u) << "an aggregator each";
  for (const TopologyNode& node : tree.nodes()) {
    if (node.tier == 0) continue;
    EXPECT_EQ(*node.attributes.at("region").AsString(), node.id.substr(0, node.id.find('.')));
    if (node.tier == 1) continue;
    EXPECT_EQ(node.attributes.at("region"), tree.node(*node.parent).attributes.at("region"))
        << "across no uplink";
  }
}

TEST(SuggestTopology, SaysInAttributesWhatItGoesBy) {
  const auto suggestion =
      SuggestTopology({.regions = {Far("eu", 40), Far("us", 9)}, .parameters = kParameters});
  ASSERT_TRUE(suggestion.ok());
  // Written, read and timed again, as `topology stats` does.
  const auto read = ParseTopologyYaml(ToYaml(suggestion->topology), "t.yaml");
  ASSERT_TRUE(read.ok());
  const auto links = LinksOf(*read);
  ASSERT_TRUE(links.ok());
  EXPECT_DOUBLE_EQ(TransfersOf(*read, *links, kParameters).round_s(), suggestion->round_s);
}

TEST(SuggestTopology, RefusesWhatIsNoRegion) {
  const auto refusal = [](const std::vector<Region>& regions) {
    const auto suggestion = SuggestTopology({.regions = regions});
    EXPECT_EQ(suggestion.status().code(), absl::StatusCode::kInvalidArgument);
    return Message(suggestion.status());
  };
  EXPECT_THAT(refusal({}), HasSubstr("no region"));
  EXPECT_THAT(refusal({Far("eu", 0)}), HasSubstr("'eu': has no workers"));
  EXPECT_THAT(refusal({Far("eu", 1), Far("eu", 1)}), HasSubstr("twice"));
  Region region = Far("eu", 1);
  region.uplink_mbit = 0;
  EXPECT_THAT(refusal({region}), HasSubstr("must be positive"));
  region = Far("eu", 1);
  region.local_latency_ms = -1;
  EXPECT_THAT(refusal({region}), HasSubstr("negative"));
  EXPECT_NE(refusal({Far("e/u", 1)}), "");
}

}  // namespace
}  // namespace skein
