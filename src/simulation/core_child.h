#ifndef SKEIN_SRC_SIMULATION_CORE_CHILD_H_
#define SKEIN_SRC_SIMULATION_CORE_CHILD_H_

#include <cstdint>

#include <absl/status/status.h>

#include "simulation/core_link.h"
#include "simulation/core_world.h"

namespace skein {

class CoreParent;

// The child's side of a node in a core simulation: its link, and what comes down it.
class CoreChild {
 public:
  CoreChild(CoreWorld* world, size_t node) : world_(world), node_(node) {}
  virtual ~CoreChild() = default;

  CoreLink& link() { return link_; }
  Epoch epoch() const { return epoch_; }
  // Dials the parent under this attachment.
  void Attach(CoreParent* parent, Epoch epoch);
  // Leaves without a word.
  void Hangup();

  // ---- what the parent says, when it arrives ----
  void OnWelcome();
  virtual void OnTask(const Task& task) = 0;
  virtual bool HasModel(const VersionRef& version) const = 0;
  // Whether it sends models on; such a child is told when the first bytes of one are there, and
  // when all of it will be.
  virtual bool forwards_models() const { return false; }
  virtual void OnModelBegun(const VersionRef&, Time) {}
  virtual void OnModel(const VersionRef& version) = 0;
  virtual void OnGrant(uint64_t transfer) = 0;
  virtual void OnAnswer(uint64_t transfer, const absl::Status& status) = 0;
  virtual void OnCancel(const CancelFrame& cancel) = 0;
  virtual void OnCommitted(const CommittedFrame& committed) = 0;

 protected:
  virtual void OnLinked() = 0;
  const NodeId& id() const { return world_->topology->node(node_).id; }
  CoreParent& parent() { return *parent_; }
  // A message for the parent: what happens there.
  void SendUp(const WireCost& cost, std::function<void()> arrive) {
    link_.Carry(*world_->simulation, CoreLink::kUp, cost, std::move(arrive));
  }
  void SendUp(uint64_t bytes, std::function<void()> arrive) {
    SendUp(WireCost{bytes, 1}, std::move(arrive));
  }

  CoreWorld* const world_;
  const size_t node_;

 private:
  CoreParent* parent_ = nullptr;
  Epoch epoch_ = 0;
  CoreLink link_;
};

}  // namespace skein

#endif  // SKEIN_SRC_SIMULATION_CORE_CHILD_H_
