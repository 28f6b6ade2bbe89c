#include <gtest/gtest.h>

#include "skein/topology/topology.h"

namespace skein {
namespace {

TEST(ToDot, WritesNodesWithTheirAttributesAndEdges) {
  const Topology tree =
      Topology::Create({{"r", NodeRole::kCoordinator, std::nullopt, {{"region", "eu"}}, ""},
                        {"a", NodeRole::kAggregator, "r", {}, ""},
                        {"w\"0", NodeRole::kWorker, "a", {}, ""}})
          .value();
  EXPECT_EQ(ToDot(tree),
            "digraph topology {\n"
            "  rankdir=TB;\n"
            "  \"r\" [shape=doubleoctagon, label=\"r\nregion: eu\"];\n"
            "  \"a\" [shape=box];\n"
            "  \"w\\\"0\" [shape=ellipse];\n"
            "  \"r\" -> \"a\";\n"
            "  \"a\" -> \"w\\\"0\";\n"
            "}\n");
}

}  // namespace
}  // namespace skein
