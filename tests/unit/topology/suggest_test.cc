#include "skein/topology/suggest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

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
  // 8 models and 8 updates through the uplink.
  EXPECT_EQ(candidates[0].max_children, 0u);
  EXPECT_NEAR(candidates[0].round_s, 2 * (0.05 + 8 * 4.0), 1e-9);
  // One aggregator. Down: the uplink's 4 s are slower than the site's 8 x 0.4; up: 8 updates, then
  // sums of twice the size.
  EXPECT_EQ(candidates[3].max_children, 8u);
  EXPECT_NEAR(candidates[3].round_s, (0.051 + 4.0) + (0.001 + 8 * 0.4) + (0.05 + 8.0), 1e-9);
  // Four children of each: two aggregators below the region's.
  EXPECT_EQ(candidates[2].max_children, 4u);
  EXPECT_NEAR(candidates[2].round_s,
              (0.052 + 4.0) + (0.001 + 4 * 0.4) + (0.001 + 2 * 0.8) + (0.05 + 8.0), 1e-9);
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
    EXPECT_EQ(node.attributes, tree.node(*node.parent).attributes) << "across no uplink";
  }
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
