#ifndef SKEIN_SRC_SIMULATION_CORE_FEDERATION_H_
#define SKEIN_SRC_SIMULATION_CORE_FEDERATION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "base/virtual_run.h"
#include "control/traffic.h"
#include "simulation/core_aggregator.h"
#include "simulation/core_worker.h"
#include "skein/control/control_plane.h"
#include "skein/control/scheduler_core.h"

namespace skein {

struct CoreFederationOptions {
  RunConfig config;  // with a run_id, and conditions that say how large a model is
  std::shared_ptr<const Topology> topology;
  StopRules stop;                                  // by time and bytes; nothing is evaluated
  const StrategyRegistries* strategies = nullptr;  // outlives the federation
  std::shared_ptr<EventSink> events;
};

// A whole federation of cores in virtual time: the scheduler's, the aggregators' and the workers'
// decisions are those of a run, and nothing else of it is there: no learner, tensor, frame, store
// or thread. A million workers fit, at some four kilobytes each. What takes time is what the
// conditions say; a transfer occupies a link as a whole, in the order in which transfers begin.
// Nothing is evaluated, no node is silent without being gone. One thread; create, then Run once.
class CoreFederation : private CoreWorld::Control {
 public:
  // InvalidArgument, for users: no size of a model, a strategy that cannot be.
  static absl::StatusOr<std::unique_ptr<CoreFederation>> Create(CoreFederationOptions options);
  ~CoreFederation() override;

  // Until the run has ended. One in which nothing is left to happen fails, and says when.
  RunOutcome Run();
  // Ends it as "stopped". Any thread.
  void Stop(const std::string& reason) { run_.Stop(reason); }
  uint64_t events_run() const { return simulation_.steps(); }

 private:
  struct Place {
    std::unique_ptr<CoreAggregator> aggregator;  // none: the root, or a worker
    CoreWorker* worker = nullptr;
  };

  explicit CoreFederation(CoreFederationOptions options) : options_(std::move(options)) {}
  absl::Status Build();

  // CoreWorld::Control
  void Tell(size_t node, NodeMessage message) override;
  void Report(size_t node, Event event) override;

  // ---- what nodes say ----
  void From(size_t node, const AttachedMsg& m);
  void From(size_t node, const RoundResultMsg& m);
  void From(size_t node, const FinishedMsg& m);
  void From(size_t node, const ModelReadyMsg& m);
  void From(size_t node, const GoodbyeMsg& m);
  template <typename Other>
  void From(size_t, const Other&) {}  // nobody says it here

  // ---- the shell around the scheduler ----
  void Feed(const scheduler::Event& event);
  void Do(const scheduler::Admit&) {}
  void Do(const scheduler::Refuse&) {}
  void Do(const scheduler::Disconnect&) {}
  void Do(const scheduler::PersistRun&) {}
  void Do(const scheduler::PersistAttachment&) {}
  void Do(const scheduler::PersistRound&) {}
  void Do(scheduler::SendTo& action);
  void Do(scheduler::EmitEvent& action);
  void Do(const scheduler::WakeAt& action);
  void Do(const scheduler::Finish& action);
  void Emit(Event event);
  void CountTraffic();

  // ---- messages for nodes ----
  void Hear(size_t node, const AssignMsg& message);
  void Hear(size_t node, const AttachMsg& message);
  void Hear(size_t node, const ExpectChildMsg& message);
  void Hear(size_t node, const ChildLostMsg& message);
  void Hear(size_t node, const PlanMsg& message);
  void Hear(size_t node, const CommitMsg& message);
  void Hear(size_t node, const FinishMsg& message);
  void Hear(size_t node, const SteerMsg& message);
  void Hear(size_t node, const StopMsg& message);
  void Hear(size_t, const EnlistedMsg&) {}  // for processes, which are not simulated
  void Hear(size_t, const StartNodesMsg&) {}
  void Hear(size_t, const NoticeMsg&) {}

  CoreParent* Parent(size_t node);  // null: it is a worker
  CoreChild* Child(size_t node);    // null: it is the root
  void Register(size_t node);
  void BeginAbsences();
  void AwaitAbsence(LeafIndex leaf, std::shared_ptr<Absences> absences, Time begin);

  const CoreFederationOptions options_;
  Simulation simulation_;
  CoreWorld world_;
  std::unique_ptr<SchedulerCore> scheduler_;
  std::unique_ptr<Traffic> traffic_;
  std::vector<size_t> reporters_;  // of the traffic of each tier
  std::unique_ptr<CoreCoordinator> root_;
  std::vector<Place> places_;  // by node
  std::vector<std::unique_ptr<CoreWorker>> workers_;
  Incarnation lives_ = 0;
  bool in_rounds_ = false;
  bool ending_ = false;  // nodes have been told to end
  std::optional<RunOutcome> outcome_;
  VirtualRun run_;
};

}  // namespace skein

#endif  // SKEIN_SRC_SIMULATION_CORE_FEDERATION_H_
