#ifndef SKEIN_SRC_FEDERATION_RUN_HOST_H_
#define SKEIN_SRC_FEDERATION_RUN_HOST_H_

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include <absl/status/statusor.h>

#include "federation/run_recorder.h"
#include "skein/base/executor.h"
#include "skein/control/control_plane.h"
#include "skein/federation/federation.h"
#include "skein/federation/run_spec.h"

namespace skein {

struct RunHostOptions {
  RunSpec spec;                       // resolved and valid
  std::string directory;              // created; empty: nothing is written
  std::string listen_address;         // of the control plane; empty: in-process use only
  bool insecure = false;              // it may listen beyond loopback
  std::shared_ptr<EventSink> events;  // besides the recorder; may be null
  bool serve = true;                  // over gRPC; otherwise for a DirectControl only
  std::string run_id;                 // empty: one that no other run has
  EventDetail detail = EventDetail::kAuto;
  std::optional<RuntimeLimits> limits = {};  // in place of the spec's, which are recorded
  // The workers are here: what they keep goes into the directory, unless the spec says where.
  bool keeps_for_workers = false;
};

// The control plane of one run with what it needs: its store, the recorder, the gRPC service. Nodes
// are someone else's: in this process (EmbeddedRun) or in others. Create, Start, Wait; Stop from
// any thread at any time between.
class RunHost {
 public:
  // `executor` is the control plane's; `registries` outlive it. AlreadyExists for the directory; if
  // anything else fails, the directory is removed again.
  static absl::StatusOr<std::unique_ptr<RunHost>> Create(RunHostOptions options,
                                                         std::shared_ptr<Executor> executor,
                                                         const Registries& registries);

  const std::shared_ptr<ControlPlane>& plane() const { return plane_; }
  ControlServer& server() { return *server_; }  // if it is served
  const RunConfig& config() const { return config_; }

  // `on_end`, if given, is called on some thread once Wait would return at once.
  void Start(std::function<void()> on_end = nullptr);
  // Ends the run as "stopped".
  void Stop(const std::string& reason) { plane_->RequestStop(reason); }
  // Whether Wait returns at once.
  bool ended() const;
  // As far as the run has come.
  RunResult result() const { return recorder_->result(); }
  // Blocks until the run has ended and its record is written. Once, after Start.
  RunResult Wait();

 private:
  RunHost() = default;
  absl::Status Open(RunHostOptions options, std::shared_ptr<Executor> executor,
                    const Registries& registries);

  RunConfig config_;
  std::shared_ptr<RunRecorder> recorder_;
  std::shared_ptr<ControlPlane> plane_;
  std::unique_ptr<ControlServer> server_;  // goes before the plane
  std::future<RunOutcome> outcome_;
};

// A name for a run that no other has: "<name>-<UTC time>-<random>".
std::string MakeRunId(const std::string& name);
// Now, by default as "20260131T235959Z"; `format` as for strftime, up to 31 characters.
std::string UtcTime(const char* format = "%Y%m%dT%H%M%SZ");

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_RUN_HOST_H_
