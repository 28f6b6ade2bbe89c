#ifndef SKEIN_SRC_FEDERATION_CORE_RUN_H_
#define SKEIN_SRC_FEDERATION_CORE_RUN_H_

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "federation/run_recorder.h"
#include "simulation/core_federation.h"
#include "skein/federation/run_spec.h"

namespace skein {

struct CoreRunOptions {
  RunSpec spec;           // resolved and valid
  std::string directory;  // created; empty: nothing is written
  EventDetail detail = EventDetail::kAuto;
  std::shared_ptr<EventSink> events;
};

// A run directory of a simulation of the cores alone (core_federation.h): that of a run, without a
// model. Create, then Run once; Stop from any thread.
class CoreRun {
 public:
  // InvalidArgument for users; AlreadyExists for the directory. Leaves no directory behind.
  static absl::StatusOr<std::unique_ptr<CoreRun>> Create(CoreRunOptions options,
                                                         const Registries& registries);
  RunResult Run();
  void Stop(const std::string& reason) { federation_->Stop(reason); }

 private:
  CoreRun() = default;

  std::shared_ptr<RunRecorder> recorder_;
  std::unique_ptr<CoreFederation> federation_;
};

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_CORE_RUN_H_
