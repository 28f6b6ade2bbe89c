#ifndef SKEIN_TOPOLOGY_STATS_H_
#define SKEIN_TOPOLOGY_STATS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "skein/topology/topology.h"

namespace skein {

// The nodes of one tier, and what a round moves between them and their children.
struct TierStats {
  size_t inner_nodes = 0;  // coordinator, aggregators
  size_t workers = 0;
  // Of its inner nodes; 0 if there are none.
  size_t min_children = 0;
  size_t max_children = 0;
  double mean_children = 0;
  uint64_t bytes_down = 0;
  uint64_t bytes_up = 0;
  friend bool operator==(const TierStats&, const TierStats&) = default;
};

// What a synchronous round of all workers moves, by rule, for a model of `parameters` float32:
// every link carries the model down, 4 bytes each, and up an update of 4 bytes each from a worker
// or exact sums of 8 from an aggregator. What frames, headers and the transport add, 1 to 2% for
// large models, is not counted. `flat` is a federation of the same workers without aggregators: at
// the root all updates come in; over all links, each of its transfers passes every link between
// the root and the worker, as where the tree is that of the network.
struct TopologyStats {
  std::vector<TierStats> tiers;
  uint64_t root_bytes_in = 0;
  uint64_t flat_root_bytes_in = 0;
  uint64_t all_bytes = 0;
  uint64_t flat_all_bytes = 0;
};
TopologyStats StatsOf(const Topology& topology, uint64_t parameters);

// What of a round's bytes goes over links whose ends are in different regions, counted as above;
// in a flat federation all that workers of other regions than the root's exchange with it.
// `regions` are by node (RegionsOf in attributes.h).
struct RegionTraffic {
  uint64_t bytes = 0;
  uint64_t flat_bytes = 0;
};
RegionTraffic BetweenRegions(const Topology& topology, const std::vector<std::string>& regions,
                             uint64_t parameters);

}  // namespace skein

#endif  // SKEIN_TOPOLOGY_STATS_H_
