#include <algorithm>
#include <random>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/topology/topology.h"

namespace skein {
namespace {

// A valid tree of random form, its nodes listed in random order.
std::vector<NodeSpec> RandomTree(std::mt19937& random) {
  const auto below = [&](size_t n) { return random() % n; };
  std::vector<NodeSpec> nodes = {{"root", NodeRole::kCoordinator, {}, {}, {}}};
  std::vector<int> depth = {0};
  const size_t inner = 1 + below(30);
  while (nodes.size() < inner) {
    const size_t parent = below(nodes.size());
    if (depth[parent] + 2 > Topology::kMaxDepth) continue;
    nodes.push_back(
        {"a" + std::to_string(nodes.size()), NodeRole::kAggregator, nodes[parent].id, {}, {}});
    depth.push_back(depth[parent] + 1);
  }
  const size_t extra = below(60);
  for (size_t i = 0; i < inner + extra; ++i) {  // at least one worker below every inner node
    const size_t parent = i < inner ? i : below(inner);
    NodeSpec worker{"w" + std::to_string(i), NodeRole::kWorker, nodes[parent].id, {}, {}};
    if (below(3) == 0) worker.attributes["speed"] = static_cast<int64_t>(below(2));
    nodes.push_back(std::move(worker));
  }
  std::shuffle(nodes.begin(), nodes.end(), random);
  return nodes;
}

class RandomTrees : public ::testing::TestWithParam<unsigned> {
 protected:
  RandomTrees() : random_(GetParam()), specs_(RandomTree(random_)) {
    auto topology = Topology::Create(specs_);
    EXPECT_TRUE(topology.ok()) << topology.status();
    topology_ = *std::move(topology);
  }
  std::mt19937 random_;
  std::vector<NodeSpec> specs_;
  Topology topology_;
};

TEST_P(RandomTrees, KeepEveryNodeWithItsParentAndAttributes) {
  ASSERT_EQ(topology_.nodes().size(), specs_.size());
  for (const NodeSpec& spec : specs_) {
    const auto at = topology_.Find(spec.id);
    ASSERT_TRUE(at) << spec.id;
    const TopologyNode& node = topology_.node(*at);
    EXPECT_EQ(node.id, spec.id);
    EXPECT_EQ(node.role, spec.role);
    EXPECT_EQ(node.attributes, spec.attributes);
    ASSERT_EQ(node.parent.has_value(), spec.parent.has_value());
    if (spec.parent) {
      EXPECT_EQ(topology_.node(*node.parent).id, *spec.parent);
    }
  }
}

TEST_P(RandomTrees, AreBreadthFirst) {
  for (size_t i = 1; i < topology_.nodes().size(); ++i) {
    const TopologyNode& node = topology_.node(i);
    const TopologyNode& before = topology_.node(i - 1);
    EXPECT_GE(node.tier, before.tier);
    EXPECT_LT(*node.parent, i);
    if (before.parent) {
      EXPECT_GE(*node.parent, *before.parent);
    }
    EXPECT_EQ(node.tier, topology_.node(*node.parent).tier + 1);
  }
}

TEST_P(RandomTrees, SplitEachNodesLeavesOverItsChildrenWithoutGaps) {
  EXPECT_EQ(topology_.root().leaf_begin, 0u);
  EXPECT_EQ(topology_.root().leaf_end, topology_.num_workers());
  for (size_t i = 0; i < topology_.nodes().size(); ++i) {
    const TopologyNode& node = topology_.node(i);
    if (node.role == NodeRole::kWorker) {
      EXPECT_EQ(node.leaf_end, node.leaf_begin + 1);
      EXPECT_EQ(&topology_.worker(node.leaf_begin), &node);
      continue;
    }
    LeafIndex next = node.leaf_begin;
    for (const size_t c : node.children) {
      EXPECT_EQ(topology_.node(c).leaf_begin, next);
      EXPECT_EQ(*topology_.node(c).parent, i);
      next = topology_.node(c).leaf_end;
    }
    EXPECT_EQ(node.leaf_end, next);
  }
}

TEST_P(RandomTrees, KeepTheOrderOfSiblings) {
  const auto listed = [&](const NodeId& id) {
    return std::find_if(specs_.begin(), specs_.end(), [&](const auto& s) { return s.id == id; });
  };
  for (const TopologyNode& node : topology_.nodes()) {
    for (size_t c = 1; c < node.children.size(); ++c) {
      EXPECT_LT(listed(topology_.node(node.children[c - 1]).id),
                listed(topology_.node(node.children[c]).id));
    }
  }
}

TEST_P(RandomTrees, SurviveYaml) {
  const auto again = ParseTopologyYaml(ToYaml(topology_), "again.yaml");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, topology_);
}

TEST_P(RandomTrees, RenderOneLineANodeUnfoldedAndIndentedByTier) {
  const std::string text = RenderTree(topology_, {.ascii = true, .max_siblings = 1'000'000});
  std::istringstream lines(text);
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const size_t begin = line.find_first_not_of("|-` ");
    ASSERT_NE(begin, std::string::npos);
    const auto node = topology_.Find(line.substr(begin, line.find(' ', begin) - begin));
    ASSERT_TRUE(node) << line;
    EXPECT_EQ(begin, 4u * topology_.node(*node).tier) << line;
  }
  EXPECT_EQ(count, topology_.nodes().size());
}

TEST_P(RandomTrees, AreRefusedWhenOneNodeIsBroken) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    std::vector<NodeSpec> broken = specs_;
    NodeSpec& victim = broken[random_() % broken.size()];
    switch (random_() % 4) {
      case 0:
        victim.id = broken[0].id == victim.id ? broken[1].id : broken[0].id;
        break;
      case 1:
        victim.parent = "nowhere";
        break;
      case 2:
        victim.parent = victim.id;
        break;
      default:
        victim.role = victim.role == NodeRole::kWorker ? NodeRole::kAggregator : NodeRole::kWorker;
    }
    EXPECT_FALSE(Topology::Create(broken).ok());
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTrees, ::testing::Range(0u, 25u));

}  // namespace
}  // namespace skein
