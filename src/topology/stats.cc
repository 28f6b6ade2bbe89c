#include "skein/topology/stats.h"

#include <algorithm>

namespace skein {
namespace {

constexpr uint64_t kFloatBytes = 4;  // of a model's or an update's parameter
constexpr uint64_t kSumBytes = 8;    // of an exact sum's

}  // namespace

TopologyStats StatsOf(const Topology& topology, uint64_t parameters) {
  TopologyStats stats;
  stats.tiers.resize(static_cast<size_t>(topology.num_tiers()));
  for (const TopologyNode& node : topology.nodes()) {
    TierStats& tier = stats.tiers[static_cast<size_t>(node.tier)];
    if (node.role == NodeRole::kWorker) {
      ++tier.workers;
      // Down and up, over as many links as it is deep.
      stats.flat_all_bytes += 2 * kFloatBytes * parameters * static_cast<uint64_t>(node.tier);
      continue;
    }
    const size_t children = node.children.size();
    const bool first = tier.inner_nodes++ == 0;
    tier.min_children = first ? children : std::min(tier.min_children, children);
    tier.max_children = std::max(tier.max_children, children);
    tier.mean_children += static_cast<double>(children);
    for (const size_t child : node.children) {
      const bool worker = topology.node(child).role == NodeRole::kWorker;
      tier.bytes_down += kFloatBytes * parameters;
      tier.bytes_up += (worker ? kFloatBytes : kSumBytes) * parameters;
    }
  }
  for (TierStats& tier : stats.tiers) {
    if (tier.inner_nodes > 0) {
      tier.mean_children /= static_cast<double>(tier.inner_nodes);
    }
    stats.all_bytes += tier.bytes_down + tier.bytes_up;
  }
  stats.root_bytes_in = stats.tiers.empty() ? 0 : stats.tiers[0].bytes_up;
  stats.flat_root_bytes_in = kFloatBytes * parameters * topology.num_workers();
  return stats;
}

RegionTraffic BetweenRegions(const Topology& topology, const std::vector<std::string>& regions,
                             uint64_t parameters) {
  RegionTraffic traffic;
  for (size_t i = 1; i < topology.nodes().size(); ++i) {
    const TopologyNode& node = topology.node(i);
    const bool worker = node.role == NodeRole::kWorker;
    if (regions[i] != regions[*node.parent]) {
      traffic.bytes += (kFloatBytes + (worker ? kFloatBytes : kSumBytes)) * parameters;
    }
    if (worker && regions[i] != regions[0]) traffic.flat_bytes += 2 * kFloatBytes * parameters;
  }
  return traffic;
}

}  // namespace skein
