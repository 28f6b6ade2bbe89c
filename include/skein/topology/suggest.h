#ifndef SKEIN_TOPOLOGY_SUGGEST_H_
#define SKEIN_TOPOLOGY_SUGGEST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "skein/topology/topology.h"

namespace skein {

// Workers that are near to one another, and how they reach the coordinator.
struct Region {
  std::string name;  // fit for an id: CheckName
  size_t workers = 0;
  double uplink_mbit = 0;        // a second, each way; shared by all that crosses it
  double uplink_latency_ms = 0;  // one way
  double local_mbit = 0;         // of each node's own connection, each way
  double local_latency_ms = 0;   // between two nodes of the region, one way
};

// What the suggestion may use and what a round moves.
struct SuggestOptions {
  std::vector<Region> regions;
  uint64_t parameters = 1'000'000;  // float32 elements of the model
  double root_mbit = 10'000;        // of the coordinator's own connection, each way
};

// A tree that was looked at.
struct Candidate {
  size_t max_children = 0;  // of an aggregator; 0: no aggregators
  double round_s = 0;       // what its transfers take
};

// The quickest tree, and all that were looked at.
struct TreeSuggestion {
  Topology topology;  // the quickest; nodes have the attributes of attributes.h
  double round_s = 0;
  std::vector<Candidate> candidates;  // all that were compared, in the order of max_children
};

// The tree whose synchronous rounds spend the least time on transfers, of these: all workers under
// the coordinator; an aggregator for each region, and below it as few tiers as 2, 4, 8, ...
// children of a node allow. Of equals the one with the fewest nodes. Training takes the same time
// in every tree and is not counted.
//
// Transfers are timed by TransfersOf (transfer_time.h): the links of a parent share its connection,
// those that leave a region share its uplink.
//
// InvalidArgument names the region and what is wrong: no workers, a bandwidth that is not
// positive, a name that is none or is there twice.
absl::StatusOr<TreeSuggestion> SuggestTopology(const SuggestOptions& options);

}  // namespace skein

#endif  // SKEIN_TOPOLOGY_SUGGEST_H_
