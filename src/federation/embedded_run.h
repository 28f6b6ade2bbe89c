#ifndef SKEIN_SRC_FEDERATION_EMBEDDED_RUN_H_
#define SKEIN_SRC_FEDERATION_EMBEDDED_RUN_H_

#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "federation/node_fleet.h"
#include "federation/run_host.h"
#include "skein/base/thread_pool.h"
#include "skein/runtime/node.h"
#include "skein/runtime/training_pool.h"

namespace skein {

struct EmbeddedRunOptions {
  RunSpec spec;           // resolved and valid
  std::string directory;  // created; empty: nothing is written
  int threads = 0;        // that train at once; 0: one a core
  std::shared_ptr<EventSink> events;
  EventDetail detail = EventDetail::kAuto;
};

// A whole federation in this process: the control plane, every node, the training threads. What
// `skein run` and Federation both are. Create, then Run once; Stop from any thread at any time.
class EmbeddedRun {
 public:
  // AlreadyExists for the directory; other errors leave none behind.
  static absl::StatusOr<std::unique_ptr<EmbeddedRun>> Create(
      EmbeddedRunOptions options, std::shared_ptr<const Registries> registries);
  ~EmbeddedRun();

  // Blocks until the run has ended and every thread is joined, except for those of learners that
  // ignored cancellation past the grace period.
  RunResult Run();
  void Stop(const std::string& reason) { host_->Stop(reason); }
  // Learners that never came back, known after Run.
  int abandoned() const { return abandoned_; }

 private:
  EmbeddedRun(std::shared_ptr<const Registries> registries, int threads);
  void Finish();

  const std::shared_ptr<const Registries> registries_;
  ThreadPool pool_;
  const std::shared_ptr<TrainingPool> trainers_;
  const std::shared_ptr<Transport> transport_;
  std::unique_ptr<RunHost> host_;
  std::shared_ptr<ControlDialer> control_;
  std::shared_ptr<NodeFleet> fleet_;
  int abandoned_ = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_EMBEDDED_RUN_H_
