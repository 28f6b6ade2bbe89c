#ifndef SKEIN_SRC_SIMULATION_CORE_AGGREGATOR_H_
#define SKEIN_SRC_SIMULATION_CORE_AGGREGATOR_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "simulation/core_child.h"
#include "simulation/core_parent.h"

namespace skein {

// An aggregator that is not the root in a core simulation, as AggregatorNode is in a run.
class CoreAggregator : public CoreParent, public CoreChild {
 public:
  CoreAggregator(CoreWorld* world, size_t node, std::vector<CoreChild*> children)
      : CoreParent(world, node, std::move(children)), CoreChild(world, node) {}

  void OnTask(const Task& task) override;
  bool HasModel(const VersionRef& version) const override { return Knows(version); }
  bool forwards_models() const override { return true; }
  void OnModelBegun(const VersionRef& version, Time whole_at) override;
  void OnModel(const VersionRef&) override {}
  void OnGrant(uint64_t transfer) override;
  void OnAnswer(uint64_t transfer, const absl::Status& status) override;
  void OnCancel(const CancelFrame& cancel) override;
  void OnCommitted(const CommittedFrame& committed) override;

 private:
  // What answers a task: partials, one after another.
  struct Delivery {
    Task task;
    std::deque<UploadInfo> parts;
    uint64_t transfer = 0;  // of the first of them
  };

  void OnLinked() override { Offer(); }
  void Deliver(const agg_action::CloseFold& close) override;
  void DeliverFailure(const Task& task, const std::string& reason) override;
  void PassOn(const agg_action::CloseFold& close);
  void Offer();

  std::optional<Delivery> delivery_;
  uint64_t transfers_ = 0;
};

// The root: makes versions of what it collects, as the control plane plans and commits.
class CoreCoordinator : public CoreParent {
 public:
  CoreCoordinator(CoreWorld* world, std::vector<CoreChild*> children)
      : CoreParent(world, 0, std::move(children)) {}

  void MakeInitialModel();
  void OnPlan(const PlanMsg& plan);
  void OnCommit(const CommitMsg& commit);
  void OnFinish(const FinishMsg& finish);

 private:
  void Deliver(const agg_action::CloseFold& close) override;
  void DeliverFailure(const Task& task, const std::string& reason) override;

  uint64_t planned_round_ = 0;
  uint64_t last_version_ = 0;  // of a plan without a barrier; otherwise 0
  VersionRef newest_;
};

}  // namespace skein

#endif  // SKEIN_SRC_SIMULATION_CORE_AGGREGATOR_H_
