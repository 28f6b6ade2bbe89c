#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/topology/topology.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Refusal(const std::string& yaml) {
  const auto topology = ParseTopologyYaml(yaml, "t.yaml");
  EXPECT_EQ(topology.status().code(), absl::StatusCode::kInvalidArgument) << yaml;
  const std::string message = Message(topology.status());
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  return message;
}

constexpr char kOurs[] = R"(nodes:
  - id: root
    role: coordinator
    attributes: {address: "0.0.0.0:7000"}
  - id: 7
    role: aggregator
    parent: root
  - {id: w0, role: worker, parent: 7, attributes: {device: cpu, gpus: 0, tags: [a, b]}}
  - {id: w1, role: worker, parent: "7"}
)";

TEST(OurForm, IsRead) {
  const auto topology = ParseTopologyYaml(kOurs, "t.yaml");
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_EQ(topology->num_workers(), 2u);
  EXPECT_EQ(topology->node(*topology->worker(0).parent).id, "7");
  EXPECT_EQ(topology->worker(0).attributes,
            (ValueMap{{"device", "cpu"}, {"gpus", 0}, {"tags", ValueList{"a", "b"}}}));
  EXPECT_EQ(topology->root().attributes, (ValueMap{{"address", "0.0.0.0:7000"}}));
}

TEST(OurForm, NamesUnknownKeysWithTheNearest) {
  EXPECT_EQ(Refusal("nodes:\n  - {id: r, rol: coordinator}\n"),
            "t.yaml:2:13: node: unknown key 'rol'; did you mean 'role'?");
  EXPECT_EQ(Refusal("nods:\n  - {id: r, role: coordinator}\n"),
            "t.yaml:1:1: topology: unknown key 'nods'; did you mean 'nodes'?");
  EXPECT_EQ(Refusal("nodes: [{id: r, role: coordinator}]\nname: x\n"),
            "t.yaml:2:1: unknown key 'name'; known: nodes");
}

TEST(OurForm, NamesUnknownRolesWithTheNearest) {
  EXPECT_EQ(Refusal("nodes:\n  - {id: r, role: cordinator}\n"),
            "t.yaml:2:19: role: unknown role 'cordinator'; did you mean 'coordinator'?");
}

TEST(OurForm, NeedsIdAndRole) {
  EXPECT_EQ(Refusal("nodes:\n  - role: worker\n"),
            "t.yaml:2:5: node: the key 'id' is missing: add it");
  EXPECT_THAT(Refusal("nodes:\n  - id: w\n"), HasSubstr("node 'w': the key 'role' is missing"));
}

TEST(OurForm, RefusesOtherTypes) {
  EXPECT_THAT(Refusal(""), HasSubstr("expected a topology"));
  EXPECT_THAT(Refusal("- a\n- b\n"), HasSubstr("t.yaml:1:1: expected a topology"));
  EXPECT_THAT(Refusal("nodes: 5\n"), HasSubstr("expected a list of nodes, got '5'"));
  EXPECT_THAT(Refusal("nodes:\n"), HasSubstr("expected a list of nodes, got nothing"));
  EXPECT_THAT(Refusal("nodes: []\n"), HasSubstr("'nodes' is empty"));
  EXPECT_THAT(Refusal("nodes: [5]\n"), HasSubstr("t.yaml:1:9: node: expected a map"));
  EXPECT_THAT(Refusal("nodes:\n  - {id: [1], role: worker}\n"),
              HasSubstr("id: expected a node's id, got a list"));
  EXPECT_THAT(Refusal("nodes:\n  - {id: w, role: worker, parent: {a: b}}\n"),
              HasSubstr("parent: expected a node's id, got a map"));
  EXPECT_THAT(Refusal("nodes:\n  - {id: w, role: worker, attributes: fast}\n"),
              HasSubstr("attributes: expected a map, got 'fast'"));
}

TEST(OurForm, PutsThePositionBeforeRulesOfTheTree) {
  EXPECT_THAT(Refusal("nodes:\n"
                      "  - {id: r, role: coordinator}\n"
                      "  - {id: a, role: aggregator, parent: b}\n"
                      "  - {id: b, role: aggregator, parent: a}\n"
                      "  - {id: w, role: worker, parent: r}\n"),
              AllOf(StartsWith("t.yaml:3:5: "), HasSubstr("'a' -> 'b' -> 'a'")));
  EXPECT_THAT(Refusal("nodes:\n"
                      "  - {id: r, role: coordinator}\n"
                      "  - {id: w, role: worker, parent: s}\n"),
              StartsWith("t.yaml:3:5: worker 'w' has the parent 's', which is not listed"));
}

TEST(OurForm, BoundsNestedAttributes) {
  const std::string deep = std::string(17, '[') + std::string(17, ']');
  EXPECT_THAT(Refusal("nodes:\n  - {id: r, role: coordinator, attributes: {x: " + deep + "}}\n"),
              HasSubstr("nested deeper than 16"));
}

constexpr char kFlight[] = R"(# ids may be numbers
0:
  kind: leader
  globus_compute_endpoint: null
  proxystore_endpoint: null
  children: [2, 1]
1:
  kind: worker
  children: []
  site: lab
2:
  kind: aggregator
  children: [4, 3]
3: {kind: worker}
4: {kind: worker}
)";

TEST(FlightsForm, IsReadWithTheOrderOfItsChildren) {
  const auto topology = ParseTopologyYaml(kFlight, "flight.yaml");
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_EQ(topology->root().id, "0");
  EXPECT_EQ(topology->root().attributes,
            (ValueMap{{"globus_compute_endpoint", Value()}, {"proxystore_endpoint", Value()}}));
  ASSERT_EQ(topology->num_workers(), 3u);
  EXPECT_EQ(topology->worker(0).id, "4");
  EXPECT_EQ(topology->worker(1).id, "3");
  EXPECT_EQ(topology->worker(2).id, "1");
  EXPECT_EQ(topology->worker(2).attributes, (ValueMap{{"site", "lab"}}));
}

TEST(FlightsForm, MayHaveANodeCalledNodes) {
  const auto topology =
      ParseTopologyYaml("nodes: {kind: leader, children: [w]}\nw: {kind: worker}\n", "flight.yaml");
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_EQ(topology->root().id, "nodes");
}

TEST(FlightsForm, RefusesUnknownKindsAndChildren) {
  EXPECT_EQ(Refusal("0: {kind: leadr, children: [1]}\n1: {kind: worker}\n"),
            "t.yaml:1:11: kind: unknown kind 'leadr'; did you mean 'leader'?");
  EXPECT_EQ(Refusal("hq: {kind: leader, children: [site7]}\nsite1: {kind: worker}\n"),
            "t.yaml:1:31: node 'hq' has the child 'site7', which is not listed; did you mean "
            "'site1'?");
  EXPECT_THAT(Refusal("0: {children: [1]}\n1: {kind: worker}\n"),
              HasSubstr("t.yaml:1:1: node '0': the key 'kind' is missing"));
  EXPECT_THAT(Refusal("0: {kind: leader, children: 1}\n1: {kind: worker}\n"),
              HasSubstr("children: expected a list of ids, got '1'"));
  EXPECT_THAT(Refusal("0: {kind: leader, children: [1]}\n1: worker\n"),
              HasSubstr("node '1': expected a map with kind and children, got 'worker'"));
}

TEST(FlightsForm, RefusesTwoParentsCyclesAndOrphans) {
  EXPECT_THAT(Refusal("r: {kind: leader, children: [a, b]}\n"
                      "a: {kind: aggregator, children: [w]}\n"
                      "b: {kind: aggregator, children: [w]}\n"
                      "w: {kind: worker}\n"),
              HasSubstr("t.yaml:3:34: node 'w' is a child of both 'a' and 'b'"));
  EXPECT_THAT(Refusal("r: {kind: leader, children: [w]}\n"
                      "a: {kind: aggregator, children: [b]}\n"
                      "b: {kind: aggregator, children: [a]}\n"
                      "w: {kind: worker}\n"),
              AllOf(StartsWith("t.yaml:"), HasSubstr("cycle of 2")));
  EXPECT_THAT(Refusal("r: {kind: leader, children: [w]}\n"
                      "w: {kind: worker}\n"
                      "lost: {kind: worker}\n"),
              HasSubstr("t.yaml:3:1: worker 'lost' has no parent"));
  EXPECT_THAT(Refusal("r: {kind: leader, children: [w]}\n"
                      "w: {kind: worker, children: [v]}\n"
                      "v: {kind: worker}\n"),
              HasSubstr("worker 'w' has the child 'v'"));
  EXPECT_THAT(Refusal("r: {kind: leader, children: [w]}\nr: {kind: leader}\nw: {kind: worker}\n"),
              HasSubstr("t.yaml:2:1: the key 'r' stands here a second time"));
}

TEST(TopologyFile, IsReadFromDisk) {
  const std::string path = ::testing::TempDir() + "/skein_topology_test.yaml";
  std::ofstream(path) << kOurs;
  const auto topology = ReadTopologyFile(path);
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_EQ(topology->nodes().size(), 4u);
  std::remove(path.c_str());
  const auto missing = ReadTopologyFile(path);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Message(missing.status()), path + ": no such file");
}

TEST(TopologyToYaml, KeepsAttributesOfEveryType) {
  std::vector<NodeSpec> nodes = {{"root", NodeRole::kCoordinator, {}, {}, {}},
                                 {"null",
                                  NodeRole::kWorker,
                                  "root",
                                  {{"yes", true},
                                   {"text", "true"},
                                   {"number", "12"},
                                   {"empty", ""},
                                   {"odd", "a: b, {c} # \"\n\t\\ 😀"},
                                   {"real", 1.0},
                                   {"tiny", -2.5e-300},
                                   {"int", int64_t{-9'223'372'036'854'775'807} - 1},
                                   {"none", Value()},
                                   {"no list", ValueList{}},
                                   {"map", ValueMap{{"", ValueList{1, 2.5, ValueMap{}}}}}},
                                  {}}};
  const auto topology = Topology::Create(nodes);
  ASSERT_TRUE(topology.ok()) << topology.status();
  const auto again = ParseTopologyYaml(ToYaml(*topology), "again.yaml");
  ASSERT_TRUE(again.ok()) << again.status() << "\n" << ToYaml(*topology);
  EXPECT_EQ(*again, *topology);
}

}  // namespace
}  // namespace skein
