#include <gtest/gtest.h>

#include "skein/topology/topology.h"

namespace skein {
namespace {

TEST(RenderTree, DrawsBoxesAndFoldsRunsOfAlikeWorkers) {
  EXPECT_EQ(RenderTree(*Topology::FromShape("tree:2x3"), {.max_siblings = 2}),
            "root  coordinator\n"
            "├── a0  aggregator\n"
            "│   └── w0 ... w2  3 workers\n"
            "└── a1  aggregator\n"
            "    └── w3 ... w5  3 workers\n");
}

TEST(RenderTree, ShowsAttributesAndBreaksRunsWhereTheyDiffer) {
  const auto topology = ParseTopologyYaml(R"(
nodes:
  - {id: hq, role: coordinator, attributes: {address: "10.0.0.1:5000"}}
  - {id: w0, role: worker, parent: hq}
  - {id: w1, role: worker, parent: hq}
  - {id: w2, role: worker, parent: hq, attributes: {device: gpu, cores: 8}}
  - {id: w3, role: worker, parent: hq}
)",
                                          "t.yaml");
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_EQ(RenderTree(*topology, {.ascii = true, .max_siblings = 1}),
            "hq  coordinator  address=\"10.0.0.1:5000\"\n"
            "|-- w0 ... w1  2 workers\n"
            "|-- w2  worker  cores=8  device=gpu\n"
            "`-- w3  worker\n");
}

TEST(RenderTree, MixesWorkersAndAggregatorsInOrder) {
  const auto topology = ParseTopologyYaml(R"(
nodes:
  - {id: r, role: coordinator}
  - {id: near, role: worker, parent: r}
  - {id: a, role: aggregator, parent: r}
  - {id: far, role: worker, parent: a}
  - {id: last, role: worker, parent: r}
)",
                                          "t.yaml");
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_EQ(RenderTree(*topology),
            "r  coordinator\n"
            "├── near  worker\n"
            "├── a  aggregator\n"
            "│   └── far  worker\n"
            "└── last  worker\n");
}

TEST(RenderTree, OfNothingIsEmpty) { EXPECT_EQ(RenderTree(Topology()), ""); }

}  // namespace
}  // namespace skein
