#include "skein/topology/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

NodeSpec Root(NodeId id) { return {std::move(id), NodeRole::kCoordinator, {}, {}, {}}; }
NodeSpec Aggregator(NodeId id, NodeId parent) {
  return {std::move(id), NodeRole::kAggregator, std::move(parent), {}, {}};
}
NodeSpec Worker(NodeId id, NodeId parent) {
  return {std::move(id), NodeRole::kWorker, std::move(parent), {}, {}};
}

std::string Refusal(const std::vector<NodeSpec>& nodes) {
  const auto topology = Topology::Create(nodes);
  EXPECT_EQ(topology.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string message = Message(topology.status());
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  return message;
}

std::vector<NodeId> Ids(const Topology& topology) {
  std::vector<NodeId> ids;
  for (const TopologyNode& node : topology.nodes()) ids.push_back(node.id);
  return ids;
}

TEST(Topology, OrdersNodesBreadthFirstAndLeavesLeftToRight) {
  // Listed in an order of no help; branches of different depth.
  const auto topology =
      Topology::Create({Worker("x", "deep"), Worker("y", "top"), Aggregator("mid", "top"),
                        Root("top"), Aggregator("deep", "mid"), Worker("z", "deep")});
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_THAT(Ids(*topology), ElementsAre("top", "y", "mid", "deep", "x", "z"));
  EXPECT_EQ(topology->num_tiers(), 4);
  EXPECT_EQ(topology->num_workers(), 3u);
  EXPECT_EQ(topology->worker(0).id, "y");
  EXPECT_EQ(topology->worker(1).id, "x");
  EXPECT_EQ(topology->worker(2).id, "z");
  EXPECT_EQ(topology->worker(2).tier, 3);
  const TopologyNode& mid = topology->node(*topology->Find("mid"));
  EXPECT_EQ(mid.leaf_begin, 1u);
  EXPECT_EQ(mid.leaf_end, 3u);
  EXPECT_EQ(mid.parent, 0u);
  EXPECT_THAT(mid.children, ElementsAre(3u));
  EXPECT_EQ(topology->Find("nobody"), std::nullopt);
}

TEST(Topology, RefusesNoNodes) { EXPECT_THAT(Refusal({}), HasSubstr("no nodes")); }

TEST(Topology, RefusesNoCoordinator) {
  EXPECT_THAT(Refusal({Worker("w", "a"), Aggregator("a", "w")}),
              HasSubstr("no node is the coordinator"));
}

TEST(Topology, RefusesTwoCoordinators) {
  EXPECT_THAT(Refusal({Root("r"), Root("s"), Worker("w", "r")}),
              AllOf(HasSubstr("'s'"), HasSubstr("'r'"), HasSubstr("one coordinator")));
}

TEST(Topology, RefusesCoordinatorWithParent) {
  NodeSpec root = Root("r");
  root.parent = "a";
  EXPECT_THAT(Refusal({root, Aggregator("a", "r")}), HasSubstr("leave its parent out"));
}

TEST(Topology, RefusesOrphan) {
  NodeSpec orphan = Worker("lost", "");
  orphan.parent.reset();
  EXPECT_THAT(Refusal({Root("r"), Worker("w", "r"), orphan}),
              HasSubstr("worker 'lost' has no parent"));
}

TEST(Topology, RefusesUnknownParentWithTheNearestName) {
  EXPECT_THAT(Refusal({Root("r"), Aggregator("berlin", "r"), Worker("w", "berln")}),
              AllOf(HasSubstr("worker 'w' has the parent 'berln', which is not listed"),
                    HasSubstr("did you mean 'berlin'?")));
}

TEST(Topology, NamesTheWholeCycle) {
  EXPECT_THAT(Refusal({Root("r"), Worker("w", "r"), Aggregator("a", "c"), Aggregator("b", "a"),
                       Aggregator("c", "b"), Worker("below", "a")}),
              AllOf(HasSubstr("cycle of 3"), HasSubstr("'a' -> 'c' -> 'b' -> 'a'")));
}

TEST(Topology, RefusesItsOwnParent) {
  EXPECT_THAT(Refusal({Root("r"), Worker("w", "r"), Aggregator("a", "a")}),
              AllOf(HasSubstr("cycle of 1"), HasSubstr("'a' -> 'a'")));
}

TEST(Topology, KeepsTheMessageOfAHugeCycleShort) {
  std::vector<NodeSpec> nodes = {Root("r"), Worker("w", "r")};
  for (int i = 0; i < 100'000; ++i) {
    nodes.push_back(Aggregator("a" + std::to_string(i), "a" + std::to_string((i + 1) % 100'000)));
  }
  const std::string message = Refusal(nodes);
  EXPECT_THAT(message, HasSubstr("cycle of 100000"));
  EXPECT_LT(message.size(), 400u);
}

TEST(Topology, RefusesWorkerWithChildren) {
  EXPECT_THAT(Refusal({Root("r"), Worker("w", "r"), Worker("v", "w")}),
              HasSubstr("worker 'w' has the child 'v'"));
}

TEST(Topology, RefusesInnerNodeWithoutChildren) {
  EXPECT_THAT(Refusal({Root("r"), Worker("w", "r"), Aggregator("idle", "r")}),
              HasSubstr("aggregator 'idle' has no children"));
  EXPECT_THAT(Refusal({Root("r")}), HasSubstr("coordinator 'r' has no children"));
}

TEST(Topology, RefusesDuplicateIdsAndSaysWhereBothAre) {
  NodeSpec first = Worker("w", "r");
  first.where = "sites.yaml:3:5";
  NodeSpec second = first;
  second.where = "sites.yaml:9:5";
  EXPECT_THAT(Refusal({Root("r"), first, second}),
              AllOf(HasSubstr("sites.yaml:9:5: the id 'w' is used twice"),
                    HasSubstr("first at sites.yaml:3:5")));
}

TEST(Topology, RefusesBadIds) {
  EXPECT_THAT(Refusal({Root(""), Worker("w", "")}), HasSubstr("the id '' is empty"));
  EXPECT_THAT(Refusal({Root("r"), Worker("../w", "r")}), HasSubstr("'../w' contains '/'"));
  EXPECT_THAT(Refusal({Root("r"), Worker("a\nb", "r")}), HasSubstr("'a\\x0ab' contains"));
  EXPECT_THAT(Refusal({Root("r"), Worker(std::string(129, 'w'), "r")}), HasSubstr("128 bytes"));
}

std::vector<NodeSpec> Chain(int tiers_below_root) {
  std::vector<NodeSpec> nodes = {Root("n0")};
  for (int i = 1; i < tiers_below_root; ++i) {
    nodes.push_back(Aggregator("n" + std::to_string(i), "n" + std::to_string(i - 1)));
  }
  nodes.push_back(Worker("w", nodes.back().id));
  return nodes;
}

TEST(Topology, BoundsTheDepth) {
  const auto deepest = Topology::Create(Chain(Topology::kMaxDepth));
  ASSERT_TRUE(deepest.ok()) << deepest.status();
  EXPECT_EQ(deepest->num_tiers(), Topology::kMaxDepth + 1);
  EXPECT_THAT(Refusal(Chain(Topology::kMaxDepth + 1)), HasSubstr("more than 32 tiers"));
  EXPECT_THAT(Refusal(Chain(200'000)), HasSubstr("more than 32 tiers"));
}

TEST(Topology, BoundsTheSize) {
  EXPECT_THAT(Refusal(std::vector<NodeSpec>(Topology::kMaxNodes + 1)), HasSubstr("2000000"));
}

TEST(Shape, FlatHangsWorkersOnTheRoot) {
  const auto topology = Topology::FromShape("flat:3");
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_THAT(Ids(*topology), ElementsAre("root", "w0", "w1", "w2"));
  EXPECT_EQ(topology->num_tiers(), 2);
  EXPECT_EQ(*Topology::FromShape("tree:3"), *topology);
}

TEST(Shape, TreeNamesAggregatorsBreadthFirst) {
  const auto topology = Topology::FromShape("tree:2x2x3");
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_EQ(topology->num_tiers(), 4);
  EXPECT_EQ(topology->num_workers(), 12u);
  EXPECT_THAT(Ids(*topology),
              ElementsAre("root", "a0", "a1", "a2", "a3", "a4", "a5", "w0", "w1", "w2", "w3", "w4",
                          "w5", "w6", "w7", "w8", "w9", "w10", "w11"));
  EXPECT_EQ(topology->node(*topology->worker(4).parent).id, "a3");
  for (LeafIndex leaf = 0; leaf < 12; ++leaf) {
    EXPECT_EQ(topology->worker(leaf).id, "w" + std::to_string(leaf));
  }
}

TEST(Shape, ScalesToTheBound) {
  const auto topology = Topology::FromShape("tree:10x100x100");
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_EQ(topology->num_workers(), 100'000u);
  EXPECT_EQ(topology->root().leaf_end, 100'000u);
}

struct BadShape {
  const char* shape;
  const char* message;
};
class BadShapes : public ::testing::TestWithParam<BadShape> {};

TEST_P(BadShapes, AreRefusedWithHelp) {
  const auto topology = Topology::FromShape(GetParam().shape);
  ASSERT_EQ(topology.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(topology.status()),
              AllOf(HasSubstr("topology shape '"), HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Shape, BadShapes,
    ::testing::Values(
        BadShape{"flat:0", "at least 1"}, BadShape{"tree:4x0x2", "at least 1"},
        BadShape{"flat:-3", "'-3' is no positive number"},
        BadShape{"flat:+3", "'+3' is no positive number"},
        BadShape{"flat:", "'' is no positive number"},
        BadShape{"tree:4x", "'' is no positive number"},
        BadShape{"tree:x4", "'' is no positive number"},
        BadShape{"tree:4xx8", "'' is no positive number"},
        BadShape{"tree:4 x8", "'4 ' is no positive number"},
        BadShape{"tree:4x8.5", "'8.5' is no positive number"}, BadShape{"tree:0x10", "at least 1"},
        BadShape{"flat:4x8", "did you mean 'tree:4x8'?"},
        BadShape{"flat:2000000", "2000000 nodes allowed"},
        BadShape{"flat:99999999999999999999", "2000000 nodes allowed"},
        BadShape{"tree:1000000x1000000x1000000", "2000000 nodes allowed"},
        BadShape{"tree:1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1",
                 "32 tiers"},
        BadShape{"star:5", "unknown; write flat:32"}, BadShape{"", "unknown; write flat:32"}));

}  // namespace
}  // namespace skein
