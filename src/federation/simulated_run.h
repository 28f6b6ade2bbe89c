#ifndef SKEIN_SRC_FEDERATION_SIMULATED_RUN_H_
#define SKEIN_SRC_FEDERATION_SIMULATED_RUN_H_

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "base/virtual_run.h"
#include "federation/node_fleet.h"
#include "federation/run_host.h"
#include "skein/base/simulation.h"
#include "skein/runtime/node.h"

namespace skein {

struct SimulatedRunOptions {
  RunSpec spec;           // resolved and valid
  std::string directory;  // created; empty: nothing is written
  std::shared_ptr<EventSink> events;
  EventDetail detail = EventDetail::kAuto;
};

// A whole federation in virtual time and one thread: the nodes, cores, transfers and control plane
// of a run, and its learners, which train for real. What takes time is what the spec's conditions
// say: tasks, links, absences; nothing else does. Everything is a function of the spec and its
// seed, bit for bit. Create, then Run once; Stop from any thread.
class SimulatedRun {
 public:
  // InvalidArgument if a task takes no time: nothing would tell one schedule from another.
  // AlreadyExists for the directory; other errors leave none behind.
  static absl::StatusOr<std::unique_ptr<SimulatedRun>> Create(
      SimulatedRunOptions options, std::shared_ptr<const Registries> registries);
  ~SimulatedRun();

  // Blocks until the run has ended. One in which nothing is left to happen fails, with the virtual
  // time in its reason.
  RunResult Run();
  void Stop(const std::string& reason) { run_.Stop(reason); }

 private:
  explicit SimulatedRun(std::shared_ptr<const Registries> registries);

  const std::shared_ptr<const Registries> registries_;
  Simulation simulation_;
  const std::shared_ptr<Transport> transport_;
  const std::shared_ptr<TaskRunner> trainers_;
  std::unique_ptr<RunHost> host_;
  std::shared_ptr<ControlDialer> control_;
  std::shared_ptr<NodeFleet> fleet_;
  VirtualRun run_;
};

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_SIMULATED_RUN_H_
