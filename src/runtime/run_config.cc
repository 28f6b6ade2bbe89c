#include "skein/runtime/run_config.h"

namespace skein {

NodeView MakeNodeView(const Topology& topology, size_t node) {
  const TopologyNode& self = topology.node(node);
  NodeView view;
  view.id = self.id;
  view.role = self.role;
  view.tier = self.tier;
  view.num_tiers = topology.num_tiers();
  view.leaf_begin = self.leaf_begin;
  view.leaf_end = self.leaf_end;
  view.num_workers = topology.num_workers();
  view.attributes = self.attributes;
  view.children.reserve(self.children.size());
  for (const size_t index : self.children) {
    const TopologyNode& child = topology.node(index);
    view.children.push_back({child.id, child.role, child.leaf_begin, child.leaf_end});
  }
  return view;
}

}  // namespace skein
