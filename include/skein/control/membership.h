#ifndef SKEIN_CONTROL_MEMBERSHIP_H_
#define SKEIN_CONTROL_MEMBERSHIP_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/status.h>

#include "skein/base/roster.h"
#include "skein/control/scheduler_types.h"
#include "skein/topology/topology.h"

namespace skein {

// Who is there and who is attached to whom: the part of SchedulerCore that knows nodes but no
// rounds. Pure like the core; its methods append what is to be done to `Actions`.
//
// A node is absent, then registered, then attached (its parent has welcomed it under the current
// epoch), and at last lost or gone. A lost node may register again with a new incarnation. Epochs
// count per child, over all its parents, and go on from those in the store.
class Membership {
 public:
  // `previous`: every attachment that the store has for the run.
  Membership(std::shared_ptr<const Topology> topology,
             const std::vector<AttachmentRecord>& previous);

  // Admits the node and attaches it to its parent, and its children to it, where both are there.
  // NotFound (with the nearest name) for an unknown node, AlreadyExists for one that is connected,
  // FailedPrecondition for a life that was given up, InvalidArgument for an inner node without
  // address.
  absl::Status Register(const RegisterMsg& message, uint64_t session, const RunConfig& config,
                        Time now, scheduler::Actions& actions);
  // True if this made the node attached; an epoch that is not the current one is ignored.
  bool Attached(size_t node, Epoch epoch);
  // Gives the node up: tells its parent, closes its session and detaches its children.
  void Lose(size_t node, const std::string& reason, uint64_t round, scheduler::Actions& actions);
  // The node has ended as it should.
  void Leave(size_t node);

  void Heard(size_t node, Time now) { nodes_[node].last_heard = now; }
  std::vector<size_t> SilentSince(Time time) const;

  bool IsLive(size_t node) const;  // its session is open
  bool IsAttached(size_t node) const { return nodes_[node].phase == Phase::kAttached; }
  std::vector<size_t> Live() const;
  size_t num_live() const { return num_live_; }
  bool AllAttached() const { return num_attached_ == nodes_.size(); }
  // Workers whose whole path to the root is attached.
  Roster Available() const;
  // "3 of 37 nodes are missing: w1 (never registered), ..."; the first five by name.
  std::string DescribeMissing() const;
  // "lost: w1 (reason), ..."; empty if none is.
  std::string DescribeLost() const;

 private:
  enum class Phase : uint8_t { kAbsent, kRegistered, kAttached, kLost, kGone };
  struct Node {
    Phase phase = Phase::kAbsent;
    Epoch epoch = 0;  // the last one given
    Incarnation incarnation = 0;
    Time last_heard{0};
    std::string address;
    std::string lost_because;
  };

  void SetPhase(size_t node, Phase phase);
  AttachmentRecord NextAttachment(size_t child);
  std::string WhyMissing(const Node& node) const;
  std::string ListNodes(const std::vector<size_t>& nodes) const;

  std::shared_ptr<const Topology> topology_;
  std::vector<Node> nodes_;  // by index in the topology
  size_t num_live_ = 0;
  size_t num_attached_ = 0;
};

}  // namespace skein

#endif  // SKEIN_CONTROL_MEMBERSHIP_H_
