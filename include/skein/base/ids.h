#ifndef SKEIN_BASE_IDS_H_
#define SKEIN_BASE_IDS_H_

#include <compare>
#include <cstdint>
#include <string>

namespace skein {

// A node's name, unique in its topology: "root", "a1", "w17".
using NodeId = std::string;

// Position of a worker in the left-to-right order of the tree's leaves. Data, seeds and initial
// state of a worker depend on its leaf index alone, never on the tree's shape.
using LeafIndex = uint32_t;

// Number of a task of one worker within a run; never used twice, also across restarts.
using Seq = uint64_t;

// Counts the attachments of a child, over all its parents. A parent takes bytes only under the
// epoch that the control plane announced to it last.
using Epoch = uint64_t;

// Distinguishes the lives of a node: a restarted process has another incarnation.
using Incarnation = uint64_t;

// Names a model. `version` counts committed global models, 0 is the initial one; `attempt` tells
// apart the models that different attempts at one round made; `local_round` is 0 for a global model
// and j for the one that an aggregator made of its j-th local round. `pass` is 0 for a model; n
// names the n-th question about the contributions to it, of a fold that works in passes.
struct VersionRef {
  uint64_t version = 0;
  uint32_t attempt = 0;
  uint32_t local_round = 0;
  uint32_t pass = 0;
  friend auto operator<=>(const VersionRef&, const VersionRef&) = default;
};

// "v3", "v3.1" for attempt 1, "v3/2" for local round 2, "v3 pass 4".
std::string ToString(const VersionRef& ref);

}  // namespace skein

#endif  // SKEIN_BASE_IDS_H_
