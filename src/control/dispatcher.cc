#include "control/dispatcher.h"

#include <algorithm>
#include <utility>

#include "skein/base/names.h"

namespace skein {
namespace {

constexpr size_t kNamesInMessages = 5;

// An aggregator that stands can be the coordinator of a run, too.
std::string CommandFor(NodeRole role) {
  return role == NodeRole::kWorker ? "skein worker" : "skein aggregator";
}

}  // namespace

// A process that was started as an aggregator can be the coordinator, if the run has it so.
bool Dispatcher::Node::Suits(NodeRole as) const {
  if (host == 0) return false;
  if (!role || *role == as) return true;
  return *role == NodeRole::kAggregator && as == NodeRole::kCoordinator;
}

const NodeRole* Dispatcher::RoleIn(const Run& run, const NodeId& node) const {
  // By name, see Queue.
  const auto found = std::ranges::lower_bound(run.nodes, node, {}, &StartNodesMsg::Start::node);
  return found != run.nodes.end() && found->node == node ? &found->role : nullptr;
}

absl::StatusOr<Dispatcher::Actions> Dispatcher::HostUp(Host host, const EnlistMsg& message) {
  std::set<NodeId> names;
  for (const NodeId& id : message.nodes) {
    const auto node = nodes_.find(id);
    if ((node != nodes_.end() && node->second.host != 0) || !names.insert(id).second) {
      return absl::AlreadyExistsError("node " + QuoteName(id) +
                                      " is here already; give each node one process");
    }
  }
  hosts_[host] = message.nodes;
  for (const NodeId& id : message.nodes) {
    Node& node = nodes_[id];
    node.host = host;
    node.role = message.role;
    for (const std::string& name : node.waiting) {
      Run& run = runs_.at(name);
      run.missing -= node.Suits(*RoleIn(run, id));
    }
  }
  // Back in runs that went on without them.
  Actions actions;
  for (const auto& [name, run] : runs_) {
    TellRoles(host, name, run, actions);
    if (!run.begun) continue;
    StartNodes start{host, {name, {}}};
    for (const NodeId& id : message.nodes) {
      const NodeRole* role = RoleIn(run, id);
      if (role != nullptr && nodes_.at(id).Suits(*role)) start.message.nodes.push_back({id, *role});
    }
    if (!start.message.nodes.empty()) actions.push_back(std::move(start));
  }
  Advance(actions);
  return actions;
}

// One line, however many of the nodes of a process it is about.
void Dispatcher::TellRoles(Host host, const std::string& name, const Run& run,
                           Actions& actions) const {
  std::string text;
  size_t more = 0;
  for (const NodeId& id : hosts_.at(host)) {
    const NodeRole* role = RoleIn(run, id);
    const Node& node = nodes_.at(id);
    if (role == nullptr || node.Suits(*role)) continue;
    if (!text.empty()) {
      ++more;
      continue;
    }
    text = "run " + name + " has node " + id + " as " + std::string(NameOf(*role)) +
           ", and it is here as " + std::string(NameOf(*node.role)) + ": start it with " +
           CommandFor(*role) + ", or change the run's topology";
  }
  if (text.empty()) return;
  if (more > 0) text += "; the same of " + std::to_string(more) + " more of this process";
  actions.push_back(Notify{host, {std::move(text)}});
}

Dispatcher::Actions Dispatcher::HostGone(Host host) {
  const auto gone = hosts_.find(host);
  if (gone == hosts_.end()) return {};
  for (const NodeId& id : gone->second) {
    Node& node = nodes_.at(id);
    for (const std::string& name : node.waiting) {
      Run& run = runs_.at(name);
      run.missing += node.Suits(*RoleIn(run, id));
    }
    node.host = 0;
    Forget(id);
  }
  hosts_.erase(gone);
  return {};
}

absl::Status Dispatcher::Check(size_t nodes) const {
  if (limits_.nodes_per_run == 0 || nodes <= limits_.nodes_per_run) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      "the run has " + std::to_string(nodes) + " nodes, and this control plane takes runs of " +
      std::to_string(limits_.nodes_per_run) + " at most; use a smaller tree, or raise --max-nodes");
}

Dispatcher::Actions Dispatcher::Queue(const std::string& name,
                                      std::vector<StartNodesMsg::Start> nodes) {
  Run& run = runs_[name];
  run.nodes = std::move(nodes);
  std::ranges::sort(run.nodes, {}, &StartNodesMsg::Start::node);
  for (const auto& [id, role] : run.nodes) {
    Node& node = nodes_[id];
    node.waiting.insert(name);
    run.missing += !node.Suits(role);
  }
  queue_.push_back(name);
  Actions actions;
  std::set<Host> told;
  for (const auto& [id, role] : run.nodes) {
    const Host host = nodes_.at(id).host;
    if (host != 0 && told.insert(host).second) TellRoles(host, name, run, actions);
  }
  Advance(actions);
  return actions;
}

Dispatcher::Actions Dispatcher::Over(const std::string& name) {
  const auto over = runs_.find(name);
  if (over == runs_.end()) return {};
  const bool begun = over->second.begun;
  under_way_ -= begun;
  for (const auto& [id, role] : over->second.nodes) {
    Node& node = nodes_.at(id);
    node.runs -= begun;
    node.waiting.erase(name);
    Forget(id);
  }
  runs_.erase(over);
  std::erase(queue_, name);
  Actions actions;
  Advance(actions);
  return actions;
}

void Dispatcher::Advance(Actions& actions) {
  std::map<NodeId, size_t> promised;  // to older runs, whose turn is still to come
  std::vector<std::string> left;
  for (const std::string& name : std::exchange(queue_, {})) {
    Run& run = runs_.at(name);
    if (run.missing == 0 && under_way_ < limits_.runs && HasRoom(run, promised)) {
      Begin(name, run, actions);
      continue;
    }
    if (run.missing == 0) {
      for (const auto& start : run.nodes) ++promised[start.node];
    }
    left.push_back(name);
  }
  queue_ = std::move(left);
}

bool Dispatcher::HasRoom(const Run& run, const std::map<NodeId, size_t>& promised) const {
  return std::ranges::all_of(run.nodes, [&](const StartNodesMsg::Start& start) {
    const auto found = promised.find(start.node);
    const size_t taken = found == promised.end() ? 0 : found->second;
    return nodes_.at(start.node).runs + taken < limits_.runs_per_node;
  });
}

void Dispatcher::Begin(const std::string& name, Run& run, Actions& actions) {
  run.begun = true;
  ++under_way_;
  std::map<Host, StartNodesMsg> starts;
  for (const StartNodesMsg::Start& start : run.nodes) {
    Node& node = nodes_.at(start.node);
    ++node.runs;
    node.waiting.erase(name);
    starts[node.host].nodes.push_back(start);
  }
  actions.push_back(BeginRun{name});
  for (auto& [host, message] : starts) {
    message.run = name;
    actions.push_back(StartNodes{host, std::move(message)});
  }
}

void Dispatcher::Forget(const NodeId& id) {
  const auto node = nodes_.find(id);
  if (node->second.host == 0 && node->second.runs == 0 && node->second.waiting.empty()) {
    nodes_.erase(node);
  }
}

std::string Dispatcher::WhyWaiting(const std::string& name) const {
  const auto found = runs_.find(name);
  if (found == runs_.end() || found->second.begun) return "";
  const Run& run = found->second;
  if (run.missing == 0) {
    if (under_way_ >= limits_.runs) {
      return "waits until one of " + std::to_string(under_way_) + " runs has ended";
    }
    return "waits for its nodes to be free";
  }
  std::string text = "waits for " + std::to_string(run.missing) + " of " +
                     std::to_string(run.nodes.size()) + " nodes: ";
  size_t named = 0;
  for (const auto& [id, role] : run.nodes) {
    const Node& node = nodes_.at(id);
    if (node.Suits(role)) continue;
    if (named == kNamesInMessages) return text + ", ...";
    text += (named++ == 0 ? "" : ", ") + id;
    if (node.host != 0) {
      text += " (is here as " + std::string(NameOf(*node.role)) + "; start it with " +
              CommandFor(role) + ")";
    }
  }
  return text;
}

}  // namespace skein
