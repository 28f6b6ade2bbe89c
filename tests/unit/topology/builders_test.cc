#include "skein/topology/builders.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

std::string Refusal(const absl::StatusOr<Topology>& topology) {
  EXPECT_EQ(topology.status().code(), absl::StatusCode::kInvalidArgument);
  return Message(topology.status());
}

std::vector<size_t> ChildCounts(const Topology& topology, int tier) {
  std::vector<size_t> counts;
  for (const TopologyNode& node : topology.nodes()) {
    if (node.tier == tier && node.role != NodeRole::kWorker) counts.push_back(node.children.size());
  }
  return counts;
}

TEST(TreeByFanOut, IsTheShape) {
  EXPECT_EQ(*TreeByFanOut({2, 3}), *Topology::FromShape("tree:2x3"));
  EXPECT_EQ(*TreeByFanOut({5}), *Topology::FromShape("flat:5"));
  EXPECT_THAT(Refusal(TreeByFanOut({})), HasSubstr("tier of workers"));
  EXPECT_THAT(Refusal(TreeByFanOut({2, 0})), HasSubstr("0 children"));
}

TEST(TreeByLeaves, HasAsFewTiersAsItCan) {
  EXPECT_EQ(*TreeByLeaves(4, 4), *Topology::FromShape("flat:4"));
  EXPECT_EQ(*TreeByLeaves(16, 4), *Topology::FromShape("tree:4x4"));
  EXPECT_EQ(*TreeByLeaves(32, 2), *Topology::FromShape("tree:2x2x2x2x2"));
  EXPECT_EQ(TreeByLeaves(17, 4)->num_tiers(), 4);
}

TEST(TreeByLeaves, NodesOfATierDifferByOneChildAtMost) {
  for (const size_t workers : {1, 2, 7, 10, 29, 100, 1001}) {
    for (const size_t most : {2, 3, 8, 64}) {
      const auto tree = TreeByLeaves(workers, most);
      ASSERT_TRUE(tree.ok()) << tree.status();
      EXPECT_EQ(tree->num_workers(), workers);
      for (int tier = 0; tier + 1 < tree->num_tiers(); ++tier) {
        const std::vector<size_t> counts = ChildCounts(*tree, tier);
        const auto [least, greatest] = std::ranges::minmax(counts);
        EXPECT_LE(greatest, most);
        EXPECT_LE(greatest - least, 1u) << workers << " by " << most << ", tier " << tier;
      }
    }
  }
}

TEST(TreeByLeaves, RefusesWhatMakesNoTree) {
  EXPECT_THAT(Refusal(TreeByLeaves(0, 4)), HasSubstr("a worker at least"));
  EXPECT_THAT(Refusal(TreeByLeaves(4, 1)), HasSubstr("2 or more"));
  EXPECT_THAT(Refusal(TreeByLeaves(Topology::kMaxNodes, 4)), HasSubstr("2000000"));
  EXPECT_FALSE(TreeByLeaves(Topology::kMaxNodes - 1, 4).ok()) << "its aggregators are too many";
}

TEST(RandomTree, KeepsItsLimitsAndIsTheSameForASeed) {
  bool differs = false;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const RandomTreeOptions options = {
        .workers = 1 + seed % 40, .max_children = 2 + seed % 5, .max_tiers = 7, .seed = seed};
    const auto tree = RandomTree(options);
    ASSERT_TRUE(tree.ok()) << tree.status();
    EXPECT_EQ(tree->num_workers(), options.workers);
    EXPECT_LE(tree->num_tiers(), options.max_tiers);
    for (const TopologyNode& node : tree->nodes()) {
      if (node.role == NodeRole::kWorker) continue;
      EXPECT_LE(node.children.size(), options.max_children);
      EXPECT_GE(node.children.size(), std::min<size_t>(2, options.workers));
    }
    for (LeafIndex leaf = 0; leaf < tree->num_workers(); ++leaf) {
      EXPECT_EQ(tree->worker(leaf).id, "w" + std::to_string(leaf));
    }
    EXPECT_EQ(*tree, *RandomTree(options));
    RandomTreeOptions other = options;
    other.seed += 1000;
    differs = differs || *tree != *RandomTree(other);
  }
  EXPECT_TRUE(differs);
}

TEST(RandomTree, RefusesMoreWorkersThanFit) {
  EXPECT_TRUE(RandomTree({.workers = 16, .max_children = 4, .max_tiers = 3}).ok());
  EXPECT_THAT(Refusal(RandomTree({.workers = 17, .max_children = 4, .max_tiers = 3})),
              HasSubstr("17 workers do not fit into 3 tiers of up to 4 children"));
  EXPECT_THAT(Refusal(RandomTree({.max_tiers = 1})), HasSubstr("max_tiers is 1"));
  EXPECT_THAT(Refusal(RandomTree({.max_tiers = 99})), HasSubstr("max_tiers is 99"));
}

TEST(TreeFromEdges, RolesFollowFromTheEdges) {
  const auto tree = TreeFromEdges({{"hq", "berlin"}, {"hq", "robot"}, {"berlin", "lab"}});
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_EQ(RenderTree(*tree, {.ascii = true}),
            "hq  coordinator\n"
            "|-- berlin  aggregator\n"
            "|   `-- lab  worker\n"
            "`-- robot  worker\n");
  EXPECT_EQ(*TreeFromAdjacency({{"hq", {"berlin", "robot"}}, {"berlin", {"lab"}}, {"lab", {}}}),
            *tree);
}

TEST(TreeFromEdges, RefusesWhatIsNoTree) {
  EXPECT_THAT(Refusal(TreeFromEdges({{"a", "c"}, {"b", "c"}})),
              HasSubstr("'c' has two parents, 'a' and 'b'"));
  EXPECT_FALSE(TreeFromEdges({{"a", "b"}, {"b", "a"}}).ok());
  EXPECT_FALSE(TreeFromEdges({{"a", "b"}, {"c", "d"}}).ok());
  EXPECT_FALSE(TreeFromEdges({{"a", "a"}}).ok());
  EXPECT_FALSE(TreeFromEdges({}).ok());
}

}  // namespace
}  // namespace skein
