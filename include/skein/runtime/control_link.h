#ifndef SKEIN_RUNTIME_CONTROL_LINK_H_
#define SKEIN_RUNTIME_CONTROL_LINK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <absl/status/status.h>

#include "skein/base/executor.h"
#include "skein/base/ids.h"
#include "skein/base/roster.h"
#include "skein/observe/event.h"
#include "skein/runtime/run_config.h"
#include "skein/strategy/worker_report.h"

namespace skein {

// What a node and the control plane say to each other: membership, attachment, plan, commit. Never
// a tensor: a model is named by its version and digest. The wire form is
// proto/skein/v1/control.proto.

// ---- node to control plane ----

struct RegisterMsg {
  NodeId node;
  Incarnation incarnation = 0;  // random per life of the node
  std::string address;          // where children dial; empty for workers
  int64_t pid = 0;
  std::optional<NodeRole> role;  // what it was started as; none: whatever the topology says
  std::string run;               // which it joins; empty: the only one there is
};
// First on the connection of a process that hosts nodes: they are here. Each of them registers on a
// connection of its own for each run that the control plane has it join.
struct EnlistMsg {
  std::vector<NodeId> nodes;
  std::optional<NodeRole> role;  // of them all; an aggregator may be the coordinator of a run
};
// From a process that hosts nodes: one that was to join a run has ended there.
struct NodeEndedMsg {
  std::string run;
  NodeId node;
  int code = 0;  // absl::StatusCode
  std::string message;
};
struct HeartbeatMsg {};
// The child's link to its parent is up (the parent has welcomed it) under this epoch.
struct AttachedMsg {
  Epoch epoch = 0;
};
// Decisions that the node took under its plan, and its traffic so far.
struct ReportMsg {
  std::vector<Event> events;  // time_s is stamped by the control plane
  uint64_t bytes_up = 0;      // received from children, cumulative
  uint64_t bytes_down = 0;    // sent to children, cumulative
  double peak_rss_mib = 0;
};
// What steering has made of the strategy by now: all of it each time, so that the last one says
// everything.
struct StrategyChange {
  uint64_t number = 0;                // of changes so far; 0: none, and the rest is empty
  std::optional<PartSpec> optimizer;  // in place of the run's
  TierPolicies policies;              // in place of the run's
  friend bool operator==(const StrategyChange&, const StrategyChange&) = default;
};
// Updates of a step that were trained from one version.
struct BaseCount {
  uint64_t version = 0;
  uint64_t updates = 0;
  friend bool operator==(const BaseCount&, const BaseCount&) = default;
};
// The coordinator's account of a training round: a new version, or why there is none. Without a
// barrier: of one version after another, which count as soon as they are made.
struct RoundResultMsg {
  uint64_t round = 0;
  uint32_t attempt = 0;
  int code = 0;  // absl::StatusCode; 0: `version` was made and stored
  std::string message;
  VersionRef version;
  std::string digest;  // empty: it was not stored
  Roster roster;
  uint64_t num_samples = 0;
  std::map<std::string, double> metrics;  // sample-weighted means of the workers' training metrics
  std::vector<BaseCount> bases;           // the oldest first
  bool evaluating = false;                // without a barrier: an Evaluated will follow
  uint64_t change = 0;                    // of the strategy, under which it was made
  double weight = 1;                      // of the step, as its policy's schedule has it
  // Of each worker, if the plan wants them.
  std::vector<WorkerReport> reports = {};
};
// The coordinator's account of an evaluation; `where` is "coordinator" or "workers".
struct EvaluatedMsg {
  uint64_t round = 0;
  VersionRef version;
  std::string where;
  int code = 0;
  std::string message;
  uint64_t num_samples = 0;
  std::map<std::string, double> metrics;
};
// The initial model exists (coordinator, once): the run can start.
struct ModelReadyMsg {
  VersionRef version;
  std::string digest;
};
// The coordinator's answer to FinishMsg.
struct FinishedMsg {
  int code = 0;  // absl::StatusCode; 0: the last version is stored
  std::string message;
  VersionRef version;
  std::string digest;
  bool evaluating = false;  // an Evaluated of it will follow
};
// The node is unable to go on, or has finished after StopMsg (code 0).
struct GoodbyeMsg {
  int code = 0;
  std::string message;
};

using NodeMessage =
    std::variant<RegisterMsg, HeartbeatMsg, AttachedMsg, ReportMsg, RoundResultMsg, EvaluatedMsg,
                 ModelReadyMsg, GoodbyeMsg, FinishedMsg, EnlistMsg, NodeEndedMsg>;

// ---- control plane to node ----

struct AssignMsg {
  RunConfig config;
  NodeView view;
};
// To a child: dial this parent under this epoch.
struct AttachMsg {
  NodeId parent;
  std::string address;
  Epoch epoch = 0;
};
// To a parent: this child will dial under this epoch; earlier epochs are void.
struct ExpectChildMsg {
  NodeId child;
  Epoch epoch = 0;
};
// To a parent: do not wait for this child.
struct ChildLostMsg {
  NodeId child;
  Epoch epoch = 0;
  std::string reason;
};
// To the coordinator: a round, durable before it is sent; without a barrier at the root all that
// are left.
struct PlanMsg {
  uint64_t round = 0;
  uint32_t attempt = 0;
  VersionRef base;
  Roster participants;
  Seq seq_first = 0;
  uint32_t seq_count = 1;     // tasks of each worker: the product of the tiers' kappas
  uint64_t last_version = 0;  // without a barrier at the root; otherwise 0
  StrategyChange change;      // that holds from here on
  // Of each worker, with the result: the selector goes by them.
  bool wants_reports = false;
};
// To a coordinator whose root has no barrier, where no plan follows: the change holds from this
// version on, or from the next one if that is made already.
struct SteerMsg {
  uint64_t from_version = 0;
  StrategyChange change;
};
// To the coordinator: no further version is wanted, and what is under way is void. Store the last
// one that was committed (without a barrier: made), and evaluate it if asked; answer with
// FinishedMsg.
struct FinishMsg {
  bool evaluate_at_coordinator = false;  // unless that is done or under way
  bool evaluate_at_workers = false;
  Roster participants;  // of the evaluation
  std::string reason;
};
// To the coordinator: the round's version is committed; announce it. Evaluate it if asked.
struct CommitMsg {
  uint64_t round = 0;
  VersionRef version;
  bool evaluate_at_coordinator = false;
  bool evaluate_at_workers = false;
  Roster participants;  // of the evaluation
};
// To every node: the run is over; say good-bye and end.
struct StopMsg {
  int code = 0;
  std::string reason;
};

// To a process that hosts nodes: they are known. With a run, this control plane has no other: all
// of them join it now, and when they have ended the process may.
struct EnlistedMsg {
  std::string run;
};
// To a process that hosts nodes: these join the run.
struct StartNodesMsg {
  struct Start {
    NodeId node;
    NodeRole role = NodeRole::kWorker;
    friend bool operator==(const Start&, const Start&) = default;
  };
  std::string run;
  std::vector<Start> nodes;
};

// To a process that hosts nodes, for whoever started it: one line on why a run cannot have one of
// them.
struct NoticeMsg {
  std::string text;
};

using ControlMessage =
    std::variant<AssignMsg, AttachMsg, ExpectChildMsg, ChildLostMsg, PlanMsg, CommitMsg, StopMsg,
                 SteerMsg, FinishMsg, EnlistedMsg, StartNodesMsg, NoticeMsg>;

// A node's connection to the control plane. Owned by the node; any thread may call.
class ControlLink {
 public:
  virtual ~ControlLink() = default;
  virtual void Send(NodeMessage message) = 0;
  virtual void Close() = 0;
};

// Called on the executor given to Connect, one at a time, nothing after OnControlClosed.
class ControlHandler {
 public:
  virtual ~ControlHandler() = default;
  virtual void OnControl(ControlMessage message) = 0;
  virtual void OnControlClosed(absl::Status status) = 0;
};

// Knows how to reach the control plane. Outlives its links (destruction ends those that are left)
// and is not owned by their handlers.
class ControlDialer {
 public:
  virtual ~ControlDialer() = default;
  // Connects in the background; failure is told by OnControlClosed.
  virtual std::shared_ptr<ControlLink> Connect(std::shared_ptr<Executor> executor,
                                               std::shared_ptr<ControlHandler> handler) = 0;
};

}  // namespace skein

#endif  // SKEIN_RUNTIME_CONTROL_LINK_H_
