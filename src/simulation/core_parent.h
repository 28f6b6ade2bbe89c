#ifndef SKEIN_SRC_SIMULATION_CORE_PARENT_H_
#define SKEIN_SRC_SIMULATION_CORE_PARENT_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/status.h>

#include "runtime/aggregator_core.h"
#include "simulation/core_child.h"

namespace skein {

// The parent's side of a node in a core simulation: the shell around its AggregatorCore, as
// AggregatingNode is in a run. It knows when a model is whole, and neither models nor sums.
class CoreParent {
 public:
  // `children`: in the order of the topology.
  CoreParent(CoreWorld* world, size_t node, std::vector<CoreChild*> children);
  virtual ~CoreParent() = default;

  // The assignment: makes the core. InvalidArgument for a strategy that cannot be.
  absl::Status Assign(const NodeView& view);
  void Feed(const AggregatorEvent& event);
  CoreLinks& links() { return links_; }

 protected:
  virtual void Deliver(const agg_action::CloseFold& close) = 0;
  virtual void DeliverFailure(const Task& task, const std::string& reason) = 0;

  // It can be sent on; all of it is here at `whole_at`.
  void AddModel(const VersionRef& version, Time whole_at);
  bool Knows(const VersionRef& version) const { return whole_at_.contains(version); }
  // Training samples behind a bucket's updates; one for each here.
  uint64_t TakeSamples(const agg_action::Bucket& closed);
  bool collects() const { return collects_; }
  // What was folded since the task began, where it is passed on as it is.
  std::vector<UploadInfo> TakeCollected() { return std::exchange(collected_, {}); }

  CoreWorld* const world_;

 private:
  void Do(const agg_action::Welcome& a);
  void Do(const agg_action::Refuse& a);
  void Do(const agg_action::SendTask& a);
  void Do(const agg_action::OfferModel& a);
  void Do(const agg_action::SendCancel& a);
  void Do(const agg_action::SendCommitted& a);
  void Do(const agg_action::BeginTask& a);
  void Do(const agg_action::OpenBucket&) {}
  void Do(const agg_action::DropBucket& a) { samples_.erase(a.key); }
  void Do(const agg_action::Grant& a);
  void Do(const agg_action::Fold& a);
  void Do(const agg_action::Acknowledge& a);
  void Do(const agg_action::CloseFold& a);
  void Do(const agg_action::DeliverEvaluation&) {}  // nothing is evaluated
  void Do(const agg_action::Abandon& a);
  void Do(const agg_action::Report& a);
  void Do(const agg_action::WakeAt& a);

  CoreChild& Child(const NodeId& id);
  void SendDown(CoreChild& child, uint64_t bytes, std::function<void()> arrive);
  void SendModel(CoreChild& child, const VersionRef& version, Time whole_here_at);
  void DropOldModels();

  const size_t parent_node_;
  const std::vector<CoreChild*> children_;
  std::unique_ptr<AggregatorCore> core_;
  CoreLinks links_;
  std::map<VersionRef, Time> whole_at_;
  std::map<BucketKey, uint64_t> samples_;
  bool collects_ = false;
  std::vector<UploadInfo> collected_;
};

}  // namespace skein

#endif  // SKEIN_SRC_SIMULATION_CORE_PARENT_H_
