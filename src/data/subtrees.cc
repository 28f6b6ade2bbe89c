#include "skein/data/subtrees.h"

#include <string>

namespace skein {

absl::StatusOr<std::vector<size_t>> SubtreeSizes(const Topology& topology, int64_t tier) {
  if (tier < 1 || tier >= topology.num_tiers()) {
    return absl::InvalidArgumentError("the tree has no subtrees at tier " + std::to_string(tier) +
                                      "; give one of 1 to " +
                                      std::to_string(topology.num_tiers() - 1));
  }
  // By the group's first leaf, since tiers come one after the other in a topology.
  std::vector<size_t> size_at(topology.num_workers());
  for (const TopologyNode& node : topology.nodes()) {
    const bool early_worker = node.role == NodeRole::kWorker && node.tier < tier;
    if (node.tier == tier || early_worker) {
      size_at[node.leaf_begin] = node.leaf_end - node.leaf_begin;
    }
  }
  std::vector<size_t> sizes;
  for (const size_t size : size_at) {
    if (size > 0) sizes.push_back(size);
  }
  return sizes;
}

}  // namespace skein
