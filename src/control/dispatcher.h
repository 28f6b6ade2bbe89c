#ifndef SKEIN_SRC_CONTROL_DISPATCHER_H_
#define SKEIN_SRC_CONTROL_DISPATCHER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/runtime/control_link.h"

namespace skein {

// Which run begins when, on which nodes: the decisions of a control plane for many runs. Pure: it
// takes what has happened and returns what is to be done.
//
// Processes bring nodes and take them away; runs are queued and begin, the oldest first, as soon as
// all their nodes are here and have room for one more run, and so has the control plane. A run
// whose nodes are not all here holds nobody up; one whose nodes are busy is not overtaken on them.
// Nodes that come back while their run is under way join it again.
class Dispatcher {
 public:
  struct Limits {
    size_t runs = 4;           // side by side
    size_t runs_per_node = 4;  // that a node is in at once
    size_t nodes_per_run = 0;  // 0: any number
  };
  using Host = uint64_t;  // a process with nodes
  struct BeginRun {
    std::string run;
  };
  struct StartNodes {
    Host host = 0;
    StartNodesMsg message;
  };
  // For whoever started a process: a run has nodes of it in another role.
  struct Notify {
    Host host = 0;
    NoticeMsg message;
  };
  using Action = std::variant<BeginRun, StartNodes, Notify>;
  using Actions = std::vector<Action>;

  explicit Dispatcher(const Limits& limits) : limits_(limits) {}

  // AlreadyExists if another has one of its nodes: then it brings none.
  absl::StatusOr<Actions> HostUp(Host host, const EnlistMsg& message);
  Actions HostGone(Host host);
  // OK if a run of so many nodes may be queued at all.
  absl::Status Check(size_t nodes) const;
  // `run` is new, and its nodes have names of their own.
  Actions Queue(const std::string& run, std::vector<StartNodesMsg::Start> nodes);
  // Of a run that is queued or under way: it has ended, or will not begin.
  Actions Over(const std::string& run);

  // "waits for 2 of 5 nodes: w1, w3 (is here as worker; ...)", of a run that is
  // queued; of the others "".
  std::string WhyWaiting(const std::string& run) const;

 private:
  struct Node {
    Host host = 0;  // 0: it is not here
    std::optional<NodeRole> role;
    size_t runs = 0;                // under way, that it is in
    std::set<std::string> waiting;  // queued runs that it is in
    bool Suits(NodeRole as) const;
  };
  struct Run {
    std::vector<StartNodesMsg::Start> nodes;
    size_t missing = 0;  // of those nodes, while it is queued
    bool begun = false;
  };

  void Advance(Actions& actions);
  void Begin(const std::string& name, Run& run, Actions& actions);
  bool HasRoom(const Run& run, const std::map<NodeId, size_t>& promised) const;
  void TellRoles(Host host, const std::string& name, const Run& run, Actions& actions) const;
  const NodeRole* RoleIn(const Run& run, const NodeId& node) const;
  void Forget(const NodeId& id);  // a node that nobody asks for

  const Limits limits_;
  std::map<Host, std::vector<NodeId>> hosts_;
  std::map<NodeId, Node> nodes_;
  std::map<std::string, Run> runs_;
  std::vector<std::string> queue_;  // the oldest first
  size_t under_way_ = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_DISPATCHER_H_
