#ifndef SKEIN_SRC_SIMULATION_CORE_WORKER_H_
#define SKEIN_SRC_SIMULATION_CORE_WORKER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/worker_core.h"
#include "simulation/core_child.h"

namespace skein {

// The shell around one WorkerCore in a core simulation: its work takes the time that the conditions
// say and comes to nothing but an update's header.
class CoreWorker : public CoreChild {
 public:
  CoreWorker(CoreWorld* world, size_t node);

  // Another life: nothing is left of the former one.
  void Begin();
  void End();

  void OnTask(const Task& task) override { Feed(worker_event::TaskArrived{task}); }
  bool HasModel(const VersionRef& version) const override { return model_ == version; }
  void OnModel(const VersionRef& version) override;
  void OnGrant(uint64_t transfer) override;
  void OnAnswer(uint64_t transfer, const absl::Status& status) override;
  void OnCancel(const CancelFrame& cancel) override;
  void OnCommitted(const CommittedFrame& committed) override;

 private:
  // An update that is not committed yet.
  struct Kept {
    Seq seq = 0;
    uint64_t round = 0;
    uint32_t local_round = 0;
    VersionRef base;
    uint64_t transfer = 0;  // of its last offer
    bool wants_reports = false;
    double loss = 0;  // made up
  };

  void OnLinked() override { Feed(worker_event::LinkUp{}); }
  void Feed(const WorkerEvent& event);
  void Do(const worker_action::StartWork& a);
  void Do(const worker_action::CancelWork&);
  void Do(const worker_action::AbandonWork&) {}
  void Do(const worker_action::OfferUpdate& a);
  void Do(const worker_action::DropUpdate& a);
  void Do(const worker_action::SendEvaluation&) {}  // nothing is evaluated
  void Do(const worker_action::SendFailed& a);
  void Do(const worker_action::WakeAt& a);

  LeafIndex leaf() const { return world_->topology->node(node_).leaf_begin; }
  // Ends the work if it is this one of this life.
  void WorkEnds(Time when, uint64_t start);

  WorkerCore core_;
  std::optional<VersionRef> model_;
  std::vector<Kept> kept_;
  Task task_;  // in work
  uint64_t start_ = 0;
  uint64_t transfers_ = 0;
  uint64_t trainings_ = 0;  // begun in this life, as for a worker's pace in a run
  uint32_t life_ = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_SIMULATION_CORE_WORKER_H_
