#ifndef SKEIN_CONTROL_SCHEDULER_TYPES_H_
#define SKEIN_CONTROL_SCHEDULER_TYPES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <absl/status/status.h>

#include "skein/base/time.h"
#include "skein/control/run_store.h"
#include "skein/observe/event.h"
#include "skein/observe/round_tracker.h"
#include "skein/runtime/control_link.h"

namespace skein::scheduler {

// What the scheduler core is told, what it decides, and its states.

enum class State : uint8_t {
  kGathering,   // nodes register and attach, the coordinator makes the initial model
  kTraining,    // a round's plan is with the coordinator
  kEvaluating,  // the round is committed; its model is being evaluated
  kFinishing,   // a rule ends the run: the coordinator stores and evaluates the last version
  kStopping,    // every node was told to stop
  kEnded,
};
inline constexpr size_t kNumStates = 6;
const char* NameOf(State state);

// ---- events ----

// First of all, once: the run's clock starts.
struct RunStarted {};
// `session` is the shell's number for the connection on which the message came.
struct NodeRegistered {
  uint64_t session = 0;
  RegisterMsg message;
};
// Any sign of life of a registered node; the shell sends it before what the message itself says.
struct NodeHeard {
  NodeId node;
};
struct NodeAttached {
  NodeId node;
  Epoch epoch = 0;
};
// The session of a registered node has closed without good-bye.
struct NodeLost {
  NodeId node;
  std::string reason;
};
struct NodeGoodbye {
  NodeId node;
  GoodbyeMsg message;
};
struct ModelReady {
  NodeId node;
  ModelReadyMsg message;
};
// `bytes`: the traffic so far, by tier.
struct RoundResult {
  NodeId node;
  RoundResultMsg message;
  std::vector<TierTraffic> bytes = {};
};
struct Evaluated {
  NodeId node;
  EvaluatedMsg message;
  std::vector<TierTraffic> bytes = {};
};
struct Finished {
  NodeId node;
  FinishedMsg message;
};
// Time has come to a moment that WakeAt named.
struct Tick {};
struct StopRequested {
  std::string reason;
};
// A Persist action failed; the actions after it in its batch were not executed.
struct StoreFailed {
  absl::Status status;
  bool lost_commit = false;  // what failed was the commit of a round
};

using Event =
    std::variant<RunStarted, NodeRegistered, NodeHeard, NodeAttached, NodeLost, NodeGoodbye,
                 ModelReady, RoundResult, Evaluated, Finished, Tick, StopRequested, StoreFailed>;
const char* NameOf(const Event& event);

// ---- actions, executed in order ----

// The session now speaks for the node.
struct Admit {
  uint64_t session = 0;
  NodeId node;
};
// The session is closed: its node may not take part.
struct Refuse {
  uint64_t session = 0;
  absl::Status status;
};
// The node's session is closed; what still comes from it is void.
struct Disconnect {
  NodeId node;
  std::string reason;
};
struct PersistRun {
  RunRecord record;
};
struct PersistAttachment {
  AttachmentRecord record;
};
struct PersistRound {
  RoundRecord record;
};
struct SendTo {
  NodeId node;
  ControlMessage message;
};
struct EmitEvent {
  skein::Event event;  // the shell stamps the time and adds the traffic
};
struct WakeAt {
  Time when{0};
};
// The last action of a run.
struct Finish {
  std::string status;
  std::string reason;
  uint64_t rounds = 0;
};

using Action = std::variant<Admit, Refuse, Disconnect, PersistRun, PersistAttachment, PersistRound,
                            SendTo, EmitEvent, WakeAt, Finish>;
using Actions = std::vector<Action>;

}  // namespace skein::scheduler

#endif  // SKEIN_CONTROL_SCHEDULER_TYPES_H_
