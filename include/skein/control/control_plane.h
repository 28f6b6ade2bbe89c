#ifndef SKEIN_CONTROL_CONTROL_PLANE_H_
#define SKEIN_CONTROL_CONTROL_PLANE_H_

#include <functional>
#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "skein/base/executor.h"
#include "skein/control/run_store.h"
#include "skein/control/steering.h"
#include "skein/control/stopping.h"
#include "skein/observe/event.h"
#include "skein/runtime/control_link.h"
#include "skein/runtime/run_config.h"
#include "skein/strategy/registry.h"
#include "skein/topology/topology.h"

namespace skein {

// The control plane's end of one node's connection; implemented by whatever carries the messages
// (grpc/service, the direct link of the test kit). Any thread may call.
class ControlSession {
 public:
  virtual ~ControlSession() = default;
  virtual void Send(ControlMessage message) = 0;
  virtual void Close(absl::Status status) = 0;
};

// Whom carriers give what they receive. A session is known by its pointer; messages of one session
// come in order. Any thread may call.
class ControlReceiver {
 public:
  virtual ~ControlReceiver() = default;
  virtual void OnMessage(std::shared_ptr<ControlSession> session, NodeMessage message) = 0;
  virtual void OnSessionClosed(std::shared_ptr<ControlSession> session, absl::Status status) = 0;
};

struct ControlPlaneOptions {
  RunConfig config;
  Topology topology;
  std::string spec_text;      // for the store
  std::string topology_text;  // for the store
  StopRules stop;
  std::shared_ptr<Steering> steering;  // of this run alone; may be null
};

struct RunOutcome {
  std::string status;  // "completed", "failed", "stopped"
  std::string reason;
  uint64_t rounds = 0;  // committed
};

// Schedules one run: shell around SchedulerCore (scheduler_core.h) on one executor. It writes each
// decision to the store before it acts on it, talks to nodes through sessions, sends every event
// to the sink, and never sees a tensor. All methods may be called from any thread.
class ControlPlane : public ControlReceiver {
 public:
  static absl::StatusOr<std::shared_ptr<ControlPlane>> Create(ControlPlaneOptions options,
                                                              std::shared_ptr<Executor> executor,
                                                              std::shared_ptr<RunStore> store,
                                                              std::shared_ptr<EventSink> sink,
                                                              const StrategyRegistries* strategies);
  // Starts the clock of the run; `on_done` is called once on the executor, when the run has ended
  // and all nodes have said good-bye or a grace period has passed.
  virtual void Start(std::function<void(RunOutcome)> on_done) = 0;
  // Ends the run as "stopped" with this reason.
  virtual void RequestStop(std::string reason) = 0;
};

// The gRPC service in front of a control plane, with its server. Destroy before the control plane.
class ControlServer {
 public:
  virtual ~ControlServer() = default;
  virtual std::string address() const = 0;                 // "127.0.0.1:41234"; "" without a port
  virtual std::shared_ptr<ControlDialer> InProcess() = 0;  // over gRPC's in-process channel
};

// `address`: "host:port", or empty for in-process use only. Loopback only unless `insecure`.
absl::StatusOr<std::unique_ptr<ControlServer>> StartControlServer(
    std::shared_ptr<ControlReceiver> receiver, const std::string& address, bool insecure = false);

// Reaches a control plane in another process.
std::shared_ptr<ControlDialer> MakeGrpcControlDialer(const std::string& address);

}  // namespace skein

#endif  // SKEIN_CONTROL_CONTROL_PLANE_H_
