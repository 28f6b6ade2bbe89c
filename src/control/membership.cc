#include "skein/control/membership.h"

#include <algorithm>
#include <utility>

#include "skein/base/names.h"

namespace skein {
namespace {

constexpr size_t kNamesInMessages = 5;
constexpr size_t kMaxNodesToCompare = 20'000;  // for the nearest name; an edit distance each

absl::Status UnknownNode(const NodeId& id, const Topology& topology) {
  std::string text = "node " + QuoteName(id) + " is not in the run's topology";
  if (topology.nodes().size() <= kMaxNodesToCompare) {
    std::vector<std::string> names;
    for (const TopologyNode& node : topology.nodes()) names.push_back(node.id);
    if (const auto nearest = NearestName(id, names)) text += "; did you mean '" + *nearest + "'?";
  }
  return absl::NotFoundError(text);
}

}  // namespace

Membership::Membership(std::shared_ptr<const Topology> topology,
                       const std::vector<AttachmentRecord>& previous)
    : topology_(std::move(topology)), nodes_(topology_->nodes().size()) {
  for (const AttachmentRecord& record : previous) {
    const auto child = topology_->Find(record.child);
    if (!child.has_value()) continue;
    Node& node = nodes_[*child];
    node.epoch = std::max(node.epoch, record.epoch);
  }
}

bool Membership::IsLive(size_t node) const {
  return nodes_[node].phase == Phase::kRegistered || nodes_[node].phase == Phase::kAttached;
}

void Membership::SetPhase(size_t node, Phase phase) {
  num_live_ -= IsLive(node);
  num_attached_ -= IsAttached(node);
  nodes_[node].phase = phase;
  num_live_ += IsLive(node);
  num_attached_ += IsAttached(node);
}

AttachmentRecord Membership::NextAttachment(size_t child) {
  Node& node = nodes_[child];
  const auto parent = topology_->node(child).parent;
  return {topology_->node(child).id, parent ? topology_->node(*parent).id : NodeId(), ++node.epoch,
          node.incarnation};
}

absl::Status Membership::Register(const RegisterMsg& message, uint64_t session,
                                  const RunConfig& config, Time now, scheduler::Actions& actions) {
  const auto found = topology_->Find(message.node);
  if (!found.has_value()) return UnknownNode(message.node, *topology_);
  const size_t index = *found;
  const TopologyNode& place = topology_->node(index);
  Node& node = nodes_[index];
  if (IsLive(index)) {
    return absl::AlreadyExistsError("node '" + place.id +
                                    "' is connected already; two processes must not share an id");
  }
  if (node.phase != Phase::kAbsent && node.incarnation == message.incarnation) {
    return absl::FailedPreconditionError("node '" + place.id +
                                         "' was given up; it can join again after a restart");
  }
  if (message.role.has_value() && *message.role != place.role) {
    return absl::InvalidArgumentError("node '" + place.id + "' is started as " +
                                      NameOf(*message.role) + " and the topology has it as " +
                                      NameOf(place.role) + ": start it in that role");
  }
  if (place.role != NodeRole::kWorker && message.address.empty()) {
    return absl::InvalidArgumentError(std::string(NameOf(place.role)) + " '" + place.id +
                                      "' gave no address for its children to dial");
  }
  node.incarnation = message.incarnation;
  node.address = message.address;
  node.last_heard = now;
  node.lost_because.clear();
  SetPhase(index, Phase::kRegistered);

  // Every attachment that has become possible: the node's own and those of its children.
  std::vector<std::pair<size_t, AttachmentRecord>> attachments;
  if (!place.parent.has_value()) {
    // The root has no link to wait for; its record fences earlier lives of the coordinator.
    attachments.emplace_back(index, NextAttachment(index));
    SetPhase(index, Phase::kAttached);
  } else if (IsLive(*place.parent)) {
    attachments.emplace_back(index, NextAttachment(index));
  }
  for (const size_t child : place.children) {
    if (IsLive(child)) attachments.emplace_back(child, NextAttachment(child));
  }

  actions.push_back(scheduler::Admit{session, place.id});
  for (const auto& [child, record] : attachments) {
    actions.push_back(scheduler::PersistAttachment{record});
  }
  Event started{0, event::kNodeStarted, 0, place.id, {{"role", NameOf(place.role)}}};
  if (place.parent.has_value()) started.fields["parent"] = topology_->node(*place.parent).id;
  if (message.pid != 0) started.fields["pid"] = message.pid;
  actions.push_back(scheduler::EmitEvent{std::move(started)});
  actions.push_back(
      scheduler::SendTo{place.id, AssignMsg{config, MakeNodeView(*topology_, index)}});
  // Another life of a parent has not heard whom it need not wait for.
  for (const size_t child : place.children) {
    const Node& lost = nodes_[child];
    if (lost.phase != Phase::kLost) continue;
    actions.push_back(scheduler::SendTo{
        place.id, ChildLostMsg{topology_->node(child).id, lost.epoch, lost.lost_because}});
  }
  for (const auto& [child, record] : attachments) {
    if (record.parent.empty()) continue;
    const std::string& address = nodes_[*topology_->node(child).parent].address;
    actions.push_back(scheduler::SendTo{record.parent, ExpectChildMsg{record.child, record.epoch}});
    actions.push_back(
        scheduler::SendTo{record.child, AttachMsg{record.parent, address, record.epoch}});
  }
  return absl::OkStatus();
}

bool Membership::Attached(size_t node, Epoch epoch) {
  const auto parent = topology_->node(node).parent;
  if (nodes_[node].phase != Phase::kRegistered || nodes_[node].epoch != epoch) return false;
  if (!parent.has_value() || !IsLive(*parent)) return false;
  SetPhase(node, Phase::kAttached);
  return true;
}

void Membership::Lose(size_t node, const std::string& reason, uint64_t round,
                      scheduler::Actions& actions) {
  if (!IsLive(node)) return;
  const TopologyNode& place = topology_->node(node);
  SetPhase(node, Phase::kLost);
  nodes_[node].lost_because = reason;
  for (const size_t child : place.children) {
    if (IsAttached(child)) SetPhase(child, Phase::kRegistered);
  }
  actions.push_back(
      scheduler::EmitEvent{{0, event::kNodeLost, round, place.id, {{"reason", reason}}}});
  actions.push_back(scheduler::Disconnect{place.id, reason});
  if (place.parent.has_value() && IsLive(*place.parent)) {
    actions.push_back(scheduler::SendTo{topology_->node(*place.parent).id,
                                        ChildLostMsg{place.id, nodes_[node].epoch, reason}});
  }
}

void Membership::Leave(size_t node) {
  if (IsLive(node)) SetPhase(node, Phase::kGone);
}

std::vector<size_t> Membership::SilentSince(Time time) const {
  std::vector<size_t> silent;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (IsLive(i) && nodes_[i].last_heard <= time) silent.push_back(i);
  }
  return silent;
}

std::vector<size_t> Membership::Live() const {
  std::vector<size_t> live;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (IsLive(i)) live.push_back(i);
  }
  return live;
}

Roster Membership::Available() const {
  if (AllAttached()) return Roster::Range(0, static_cast<LeafIndex>(topology_->num_workers()));
  // Nodes are in breadth-first order, so a parent is decided before its children.
  std::vector<bool> reachable(nodes_.size());
  std::vector<LeafIndex> leaves;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const TopologyNode& place = topology_->node(i);
    reachable[i] = IsAttached(i) && (!place.parent.has_value() || reachable[*place.parent]);
    if (reachable[i] && place.role == NodeRole::kWorker) leaves.push_back(place.leaf_begin);
  }
  return Roster::Of(std::move(leaves));
}

std::string Membership::WhyMissing(const Node& node) const {
  switch (node.phase) {
    case Phase::kAbsent:
      return "never registered";
    case Phase::kRegistered:
      return "not attached to its parent";
    case Phase::kAttached:
      return "attached";
    case Phase::kLost:
      return node.lost_because;
    case Phase::kGone:
      return "left";
  }
  return "";
}

std::string Membership::ListNodes(const std::vector<size_t>& nodes) const {
  std::string text;
  for (size_t i = 0; i < std::min(nodes.size(), kNamesInMessages); ++i) {
    if (i > 0) text += ", ";
    text += topology_->node(nodes[i]).id + " (" + WhyMissing(nodes_[nodes[i]]) + ")";
  }
  if (nodes.size() > kNamesInMessages) {
    text += " and " + std::to_string(nodes.size() - kNamesInMessages) + " more";
  }
  return text;
}

std::string Membership::DescribeMissing() const {
  std::vector<size_t> missing;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!IsAttached(i)) missing.push_back(i);
  }
  return std::to_string(missing.size()) + " of " + std::to_string(nodes_.size()) +
         (nodes_.size() == 1 ? " node" : " nodes") + (missing.size() == 1 ? " is" : " are") +
         " missing: " + ListNodes(missing);
}

std::string Membership::DescribeLost() const {
  std::vector<size_t> lost;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].phase == Phase::kLost) lost.push_back(i);
  }
  return lost.empty() ? "" : "lost: " + ListNodes(lost);
}

}  // namespace skein
