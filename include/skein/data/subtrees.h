#ifndef SKEIN_DATA_SUBTREES_H_
#define SKEIN_DATA_SUBTREES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/topology/topology.h"

namespace skein {

// The tree cut at a tier: the numbers of workers below each node of that tier, from left to right.
// A worker above it is a group of its own, so that the groups are all of the tree. Tier 1 are the
// children of the root. InvalidArgument if the tree has no such tier.
absl::StatusOr<std::vector<size_t>> SubtreeSizes(const Topology& topology, int64_t tier);

}  // namespace skein

#endif  // SKEIN_DATA_SUBTREES_H_
