#include "skein/topology/topology.h"

#include <algorithm>
#include <numeric>

#include "skein/base/names.h"
#include "skein/base/status.h"

namespace skein {
namespace {

constexpr size_t kNone = static_cast<size_t>(-1);
constexpr size_t kMaxSuggestFrom = 100'000;
constexpr size_t kMaxCycleShown = 12;

std::string Place(const NodeSpec& node) { return node.where.empty() ? "" : node.where + ": "; }

absl::Status Error(const NodeSpec& node, const std::string& message) {
  return absl::InvalidArgumentError(Place(node) + NameOf(node.role) + " " + QuoteName(node.id) +
                                    " " + message);
}

// Validates the nodes and finds their order; each step relies on the ones before. Indices are
// positions in the caller's list until `bfs` is made.
class Builder {
 public:
  explicit Builder(const std::vector<NodeSpec>& nodes) : nodes_(nodes) {}

  absl::Status Validate() {
    SKEIN_RETURN_IF_ERROR(CheckSize());
    SKEIN_RETURN_IF_ERROR(CheckIds());
    SKEIN_RETURN_IF_ERROR(FindRoot());
    SKEIN_RETURN_IF_ERROR(FindParents());
    SKEIN_RETURN_IF_ERROR(Walk());
    return CheckChildren();
  }

  const std::vector<size_t>& bfs() const { return bfs_; }
  const std::vector<size_t>& sorted() const { return sorted_; }
  size_t parent(size_t i) const { return parents_[i]; }

 private:
  absl::Status CheckSize() const {
    if (nodes_.empty()) {
      return absl::InvalidArgumentError(
          "the topology has no nodes: list a coordinator and its workers");
    }
    if (nodes_.size() > Topology::kMaxNodes) {
      return absl::InvalidArgumentError("the topology has " + std::to_string(nodes_.size()) +
                                        " nodes, more than the " +
                                        std::to_string(Topology::kMaxNodes) + " allowed");
    }
    return absl::OkStatus();
  }

  absl::Status CheckIds() {
    for (const NodeSpec& node : nodes_) {
      if (absl::Status status = CheckName(node.id); !status.ok()) {
        return absl::InvalidArgumentError(Place(node) + "the id " + QuoteName(node.id) + " " +
                                          Message(status));
      }
    }
    sorted_.resize(nodes_.size());
    std::iota(sorted_.begin(), sorted_.end(), size_t{0});
    std::stable_sort(sorted_.begin(), sorted_.end(),
                     [this](size_t a, size_t b) { return nodes_[a].id < nodes_[b].id; });
    for (size_t i = 1; i < sorted_.size(); ++i) {
      const NodeSpec& first = nodes_[sorted_[i - 1]];
      const NodeSpec& second = nodes_[sorted_[i]];
      if (first.id != second.id) continue;
      return absl::InvalidArgumentError(
          Place(second) + "the id " + QuoteName(second.id) + " is used twice" +
          (first.where.empty() ? "" : " (first at " + first.where + ")") + ": rename one");
    }
    return absl::OkStatus();
  }

  absl::Status FindRoot() {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const NodeSpec& node = nodes_[i];
      if (node.role != NodeRole::kCoordinator) continue;
      if (root_ != kNone) {
        return Error(node, "is the second one after " + QuoteName(nodes_[root_].id) +
                               ": a tree has one coordinator, make this an aggregator");
      }
      if (node.parent) {
        return Error(node, "has the parent " + QuoteName(*node.parent) +
                               ": the coordinator is the root, leave its parent out");
      }
      root_ = i;
    }
    if (root_ == kNone) {
      return absl::InvalidArgumentError(Place(nodes_[0]) +
                                        "no node is the coordinator: give the root that role");
    }
    return absl::OkStatus();
  }

  absl::Status FindParents() {
    parents_.assign(nodes_.size(), kNone);
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const NodeSpec& node = nodes_[i];
      if (i == root_) continue;
      if (!node.parent) {
        return Error(node, "has no parent: only the coordinator stands alone, attach it");
      }
      const size_t parent = Find(*node.parent);
      if (parent == kNone) {
        return Error(node, "has the parent " + QuoteName(*node.parent) + ", which is not listed" +
                               SuggestId(*node.parent));
      }
      if (nodes_[parent].role == NodeRole::kWorker) {
        return Error(nodes_[parent], "has the child " + QuoteName(node.id) +
                                         ": workers are leaves, make it an aggregator");
      }
      parents_[i] = parent;
    }
    return absl::OkStatus();
  }

  // Breadth first from the root; what is not reached hangs on a cycle.
  absl::Status Walk() {
    first_child_.assign(nodes_.size() + 1, 0);
    for (const size_t parent : parents_) {
      if (parent != kNone) ++first_child_[parent + 1];
    }
    std::partial_sum(first_child_.begin(), first_child_.end(), first_child_.begin());
    std::vector<size_t> children(first_child_.back());
    std::vector<size_t> next(first_child_.begin(), first_child_.end() - 1);
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (parents_[i] != kNone) children[next[parents_[i]]++] = i;
    }

    std::vector<int> tier(nodes_.size(), -1);
    tier[root_] = 0;
    bfs_.reserve(nodes_.size());
    bfs_.push_back(root_);
    for (size_t at = 0; at < bfs_.size(); ++at) {
      const size_t parent = bfs_[at];
      for (size_t c = first_child_[parent]; c < first_child_[parent + 1]; ++c) {
        const size_t child = children[c];
        tier[child] = tier[parent] + 1;
        if (tier[child] > Topology::kMaxDepth) {
          return Error(nodes_[child], "is more than " + std::to_string(Topology::kMaxDepth) +
                                          " tiers below the root: flatten the tree");
        }
        bfs_.push_back(child);
      }
    }
    for (size_t i = 0; bfs_.size() < nodes_.size() && i < nodes_.size(); ++i) {
      if (tier[i] < 0) return CycleError(i);
    }
    return absl::OkStatus();
  }

  absl::Status CheckChildren() const {
    for (const size_t i : bfs_) {
      if (nodes_[i].role == NodeRole::kWorker || first_child_[i] < first_child_[i + 1]) continue;
      return Error(nodes_[i], "has no children: give it a worker or leave it out");
    }
    return absl::OkStatus();
  }

  absl::Status CycleError(size_t start) const {
    std::vector<bool> seen(nodes_.size());
    for (; !seen[start]; start = parents_[start]) seen[start] = true;
    // `start` is on the cycle now, not only below it.
    std::string path = QuoteName(nodes_[start].id);
    size_t length = 1;
    for (size_t i = parents_[start]; i != start; i = parents_[i], ++length) {
      if (length < kMaxCycleShown) path += " -> " + QuoteName(nodes_[i].id);
    }
    if (length > kMaxCycleShown) path += " -> ...";
    path += " -> " + QuoteName(nodes_[start].id);
    return Error(nodes_[start], "is its own ancestor in a cycle of " + std::to_string(length) +
                                    " (node -> parent): " + path +
                                    "; break it with another parent");
  }

  size_t Find(const NodeId& id) const {
    const auto it =
        std::lower_bound(sorted_.begin(), sorted_.end(), id,
                         [this](size_t i, const NodeId& wanted) { return nodes_[i].id < wanted; });
    return it == sorted_.end() || nodes_[*it].id != id ? kNone : *it;
  }

  std::string SuggestId(const NodeId& id) const {
    if (nodes_.size() > kMaxSuggestFrom) return ": list it or name another";
    std::vector<std::string> ids;
    for (const NodeSpec& node : nodes_) {
      if (node.role != NodeRole::kWorker) ids.push_back(node.id);
    }
    return Suggestion(id, ids);
  }

  const std::vector<NodeSpec>& nodes_;
  std::vector<size_t> sorted_;  // by id
  size_t root_ = kNone;
  std::vector<size_t> parents_;      // kNone for the root
  std::vector<size_t> first_child_;  // children of i: positions first_child_[i] .. [i + 1]
  std::vector<size_t> bfs_;
};

}  // namespace

const char* NameOf(NodeRole role) {
  switch (role) {
    case NodeRole::kCoordinator:
      return "coordinator";
    case NodeRole::kAggregator:
      return "aggregator";
    case NodeRole::kWorker:
      return "worker";
  }
  return "unknown";
}

absl::StatusOr<Topology> Topology::Create(const std::vector<NodeSpec>& nodes) {
  Builder builder(nodes);
  SKEIN_RETURN_IF_ERROR(builder.Validate());

  Topology topology;
  topology.nodes_.resize(nodes.size());
  std::vector<size_t> position(nodes.size());  // in breadth-first order, by place in `nodes`
  for (size_t at = 0; at < nodes.size(); ++at) {
    const size_t i = builder.bfs()[at];
    position[i] = at;
    TopologyNode& node = topology.nodes_[at];
    node.id = nodes[i].id;
    node.role = nodes[i].role;
    node.attributes = nodes[i].attributes;
    if (at == 0) continue;
    node.parent = position[builder.parent(i)];
    TopologyNode& parent = topology.nodes_[*node.parent];
    node.tier = parent.tier + 1;
    parent.children.push_back(at);
  }
  topology.num_tiers_ = topology.nodes_.back().tier + 1;

  // Leaves are counted upwards into leaf_end, then handed out downwards.
  for (size_t at = nodes.size(); at-- > 0;) {
    TopologyNode& node = topology.nodes_[at];
    if (node.role == NodeRole::kWorker) node.leaf_end = 1;
    if (node.parent) topology.nodes_[*node.parent].leaf_end += node.leaf_end;
  }
  topology.workers_.resize(topology.nodes_[0].leaf_end);
  for (size_t at = 0; at < nodes.size(); ++at) {
    const TopologyNode& node = topology.nodes_[at];
    if (node.role == NodeRole::kWorker) topology.workers_[node.leaf_begin] = at;
    LeafIndex next = node.leaf_begin;
    for (const size_t c : node.children) {
      TopologyNode& child = topology.nodes_[c];
      child.leaf_begin = next;
      child.leaf_end += next;
      next = child.leaf_end;
    }
  }

  topology.index_.reserve(nodes.size());
  for (const size_t i : builder.sorted()) topology.index_.emplace_back(nodes[i].id, position[i]);
  return topology;
}

std::optional<size_t> Topology::Find(const NodeId& id) const {
  const auto it = std::lower_bound(
      index_.begin(), index_.end(), id,
      [](const auto& entry, const NodeId& wanted) { return entry.first < wanted; });
  if (it == index_.end() || it->first != id) return std::nullopt;
  return it->second;
}

}  // namespace skein
