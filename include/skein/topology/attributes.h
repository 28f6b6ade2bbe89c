#ifndef SKEIN_TOPOLOGY_ATTRIBUTES_H_
#define SKEIN_TOPOLOGY_ATTRIBUTES_H_

#include <string>
#include <vector>

#include "skein/topology/topology.h"

namespace skein {

// The attributes of nodes that Skein itself reads, and what they mean (docs/topology.md). Others
// are for learners. They are checked where they are read: InvalidArgument names the node, the
// attribute and what was found. All results are by node, as Topology::nodes().

// How a node is connected.
struct NodeLink {
  double mbit = 0;        // `bandwidth_mbit` of the link to its parent, each way; 0: without bound
  double latency_ms = 0;  // `latency_ms` of that link, one way
  double node_mbit = 0;   // `node_mbit` of its own connection, shared by all links to its children
  double uplink_mbit =
      0;               // `uplink_mbit` of its region, if its parent is in another one; shared by
  std::string uplink;  // all links with the same name here, that of the region
};
// Empty if no node has any of these attributes.
absl::StatusOr<std::vector<NodeLink>> LinksOf(const Topology& topology);

// `region`, or that of the nearest node above that has one, or "". Empty if no node has one.
absl::StatusOr<std::vector<std::string>> RegionsOf(const Topology& topology);

// The node's own attribute, or that of its nearest ancestor which has it; null if none does. One
// without a value counts as none.
const Value* FindAttribute(const Topology& topology, const TopologyNode& node,
                           const std::string& name);

}  // namespace skein

#endif  // SKEIN_TOPOLOGY_ATTRIBUTES_H_
