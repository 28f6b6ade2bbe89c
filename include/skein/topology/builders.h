#ifndef SKEIN_TOPOLOGY_BUILDERS_H_
#define SKEIN_TOPOLOGY_BUILDERS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "skein/topology/topology.h"

namespace skein {

// Trees by rule, beside the shapes. Where ids are not given they are those of shapes: "root",
// aggregators "a0 a1 ..." breadth first, workers "w0 w1 ..." left to right. All return
// InvalidArgument, with the remedy, for what makes no valid tree.

// Children of each node of a tier, from the root down; the last number is workers. {4, 8} is
// "tree:4x8".
absl::StatusOr<Topology> TreeByFanOut(const std::vector<size_t>& fan_out);

// As few tiers as `max_children` (2 or more) of any node allow; nodes of a tier have the same
// number of children, or one more.
absl::StatusOr<Topology> TreeByLeaves(size_t workers, size_t max_children);

// The bounds within which a random tree is drawn.
struct RandomTreeOptions {
  size_t workers = 1;
  size_t max_children = 8;
  int max_tiers = 4;  // the root's among them
  uint64_t seed = 0;
};
// A tree drawn from the seed alone: inner nodes have two children or more, if there are as many
// workers. Workers may stand at any tier but the root's.
absl::StatusOr<Topology> RandomTree(const RandomTreeOptions& options);

// A parent and one of its children.
struct TopologyEdge {
  NodeId parent;
  NodeId child;
};
// The node without a parent is the coordinator, nodes without children are workers. Siblings keep
// the order of the edges.
absl::StatusOr<Topology> TreeFromEdges(const std::vector<TopologyEdge>& edges);
// The same, of each node's children; nodes without any may be left out.
absl::StatusOr<Topology> TreeFromAdjacency(
    const std::vector<std::pair<NodeId, std::vector<NodeId>>>& children);

}  // namespace skein

#endif  // SKEIN_TOPOLOGY_BUILDERS_H_
