#ifndef SKEIN_TOPOLOGY_TRANSFER_TIME_H_
#define SKEIN_TOPOLOGY_TRANSFER_TIME_H_

#include <cstdint>
#include <vector>

#include "skein/topology/attributes.h"
#include "skein/topology/topology.h"

namespace skein {

// What the transfers of a synchronous round of all workers take.
struct TransferTime {
  double down_s = 0;  // until the model is at every worker
  double up_s = 0;    // from then on, without the training, until all is at the root
  double round_s() const { return down_s + up_s; }
};

// By a model. A link carries 4 bytes a parameter down, and up 4 from a worker or 8 from an
// aggregator. It takes as long as the slowest of what the bytes pass: the link, the connection of
// the child, that of the parent, which all of its links share, the uplink of the region. A transfer
// is offered, granted and sent: three latencies. Down, a node sends on what it has from the first
// MiB (a chunk) on, so transfers overlap and the slowest counts; up, an aggregator sends when it
// has everything, so they add up. A parent lets as many children send at a time as 64 MiB, or one
// model, have room for; the others wait for their turn. Framing, folding and loss take no time.
//
// Against `skein simulate --no-training` of the same links this is within 5%
// (tests/unit/simulation/transfer_time_test.cc). `links` are by node.
TransferTime TransfersOf(const Topology& topology, const std::vector<NodeLink>& links,
                         uint64_t parameters);

}  // namespace skein

#endif  // SKEIN_TOPOLOGY_TRANSFER_TIME_H_
