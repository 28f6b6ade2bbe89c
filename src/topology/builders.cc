#include "skein/topology/builders.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string>

#include "skein/base/random.h"
#include "skein/base/status.h"
#include "topology/balanced_widths.h"

namespace skein {
namespace {

absl::Status TooManyNodes() {
  return absl::InvalidArgumentError("a tree has " + std::to_string(Topology::kMaxNodes) +
                                    " nodes at most");
}

NodeSpec Aggregator(size_t number, const NodeId& parent) {
  return {"a" + std::to_string(number), NodeRole::kAggregator, parent, {}, ""};
}
NodeSpec Worker(size_t number, const NodeId& parent) {
  return {"w" + std::to_string(number), NodeRole::kWorker, parent, {}, ""};
}
NodeSpec Root() { return {"root", NodeRole::kCoordinator, std::nullopt, {}, ""}; }

// Draws how the leaves of a node are shared out among its children.
class Split {
 public:
  Split(size_t max_children, Rng& rng) : max_children_(max_children), rng_(rng) {}

  // Of `leaves` under a node with room for `tiers` tiers below it.
  std::vector<size_t> Of(size_t leaves, int tiers) {
    const size_t room = RoomFor(tiers - 1);
    const size_t fewest = std::max((leaves + room - 1) / room, std::min<size_t>(2, leaves));
    const size_t most = std::min(max_children_, leaves);
    // With a single tier below, every child is a worker.
    const size_t children = tiers == 1 ? leaves : fewest + rng_.Below(most - fewest + 1);
    std::vector<size_t> shares(children, 1);
    std::vector<size_t> open(children);  // children with room
    for (size_t i = 0; i < children; ++i) open[i] = i;
    if (room == 1) open.clear();
    for (size_t rest = leaves - children; rest > 0; --rest) {
      const size_t at = rng_.Below(open.size());
      if (++shares[open[at]] < room) continue;
      open[at] = open.back();
      open.pop_back();
    }
    return shares;
  }
  // The most leaves of a node with as many tiers below it.
  size_t RoomFor(int tiers) const {
    size_t room = 1;
    for (int i = 0; i < tiers && room <= Topology::kMaxNodes; ++i) room *= max_children_;
    return std::min(room, Topology::kMaxNodes + 1);
  }

 private:
  const size_t max_children_;
  Rng& rng_;
};

absl::Status CheckMaxChildren(size_t max_children) {
  if (max_children >= 2 && max_children <= Topology::kMaxNodes) return absl::OkStatus();
  return absl::InvalidArgumentError("max_children is " + std::to_string(max_children) +
                                    "; a node needs room for 2 or more");
}

absl::Status CheckWorkers(size_t workers) {
  if (workers == 0) return absl::InvalidArgumentError("a tree needs a worker at least");
  return workers < Topology::kMaxNodes ? absl::OkStatus() : TooManyNodes();
}

}  // namespace

absl::StatusOr<Topology> TreeByFanOut(const std::vector<size_t>& fan_out) {
  if (fan_out.empty()) return absl::InvalidArgumentError("a tree needs a tier of workers");
  std::string shape;
  for (const size_t n : fan_out) shape += (shape.empty() ? "tree:" : "x") + std::to_string(n);
  return Topology::FromShape(shape);
}

absl::StatusOr<Topology> TreeByLeaves(size_t workers, size_t max_children) {
  SKEIN_RETURN_IF_ERROR(CheckWorkers(workers));
  SKEIN_RETURN_IF_ERROR(CheckMaxChildren(max_children));
  const std::vector<size_t> widths = BalancedWidths(workers, max_children);
  std::vector<NodeSpec> nodes = {Root()};
  std::vector<NodeId> above = {"root"};
  size_t aggregators = 0;
  for (size_t tier = widths.size(); tier-- > 0;) {
    const size_t width = widths[tier];
    std::vector<NodeId> here;
    for (size_t i = 0; i < width; ++i) {
      const NodeId& parent = above[BalancedParent(i, width, above.size())];
      nodes.push_back(tier == 0 ? Worker(i, parent) : Aggregator(aggregators++, parent));
      here.push_back(nodes.back().id);
    }
    above = std::move(here);
  }
  return Topology::Create(nodes);
}

absl::StatusOr<Topology> RandomTree(const RandomTreeOptions& options) {
  SKEIN_RETURN_IF_ERROR(CheckWorkers(options.workers));
  SKEIN_RETURN_IF_ERROR(CheckMaxChildren(options.max_children));
  if (options.max_tiers < 2 || options.max_tiers > Topology::kMaxDepth + 1) {
    return absl::InvalidArgumentError("max_tiers is " + std::to_string(options.max_tiers) +
                                      ", out of 2 to " + std::to_string(Topology::kMaxDepth + 1));
  }
  Rng rng(options.seed);
  Split split(options.max_children, rng);
  if (options.workers > split.RoomFor(options.max_tiers - 1)) {
    return absl::InvalidArgumentError(
        std::to_string(options.workers) + " workers do not fit into " +
        std::to_string(options.max_tiers) + " tiers of up to " +
        std::to_string(options.max_children) + " children; allow more of either");
  }
  struct Open {
    NodeId id;
    size_t first_leaf;
    size_t leaves;
    int tiers_below;
  };
  std::vector<NodeSpec> nodes = {Root()};
  std::deque<Open> open = {{"root", 0, options.workers, options.max_tiers - 1}};
  size_t aggregators = 0;
  while (!open.empty()) {
    const Open node = std::move(open.front());
    open.pop_front();
    size_t leaf = node.first_leaf;
    for (const size_t leaves : split.Of(node.leaves, node.tiers_below)) {
      if (leaves == 1) {
        nodes.push_back(Worker(leaf, node.id));
      } else {
        nodes.push_back(Aggregator(aggregators++, node.id));
        open.push_back({nodes.back().id, leaf, leaves, node.tiers_below - 1});
      }
      leaf += leaves;
    }
    if (nodes.size() > Topology::kMaxNodes) return TooManyNodes();
  }
  return Topology::Create(nodes);
}

absl::StatusOr<Topology> TreeFromEdges(const std::vector<TopologyEdge>& edges) {
  struct Node {
    std::optional<NodeId> parent;
    bool has_children = false;
  };
  std::map<NodeId, Node> known;
  std::vector<NodeId> order;  // as they are first named
  const auto named = [&](const NodeId& id) -> Node& {
    const auto [at, is_new] = known.try_emplace(id);
    if (is_new) order.push_back(id);
    return at->second;
  };
  for (const TopologyEdge& edge : edges) {
    named(edge.parent).has_children = true;
    Node& child = named(edge.child);
    if (child.parent.has_value()) {
      return absl::InvalidArgumentError(QuoteName(edge.child) + " has two parents, " +
                                        QuoteName(*child.parent) + " and " +
                                        QuoteName(edge.parent) + "; leave one edge out");
    }
    child.parent = edge.parent;
  }
  std::vector<NodeSpec> nodes;
  for (const NodeId& id : order) {
    const Node& node = known.at(id);
    NodeRole role = node.has_children ? NodeRole::kAggregator : NodeRole::kWorker;
    if (!node.parent.has_value()) role = NodeRole::kCoordinator;
    nodes.push_back({id, role, node.parent, {}, ""});
  }
  return Topology::Create(nodes);
}

absl::StatusOr<Topology> TreeFromAdjacency(
    const std::vector<std::pair<NodeId, std::vector<NodeId>>>& children) {
  std::vector<TopologyEdge> edges;
  for (const auto& [parent, below] : children) {
    for (const NodeId& child : below) edges.push_back({parent, child});
  }
  return TreeFromEdges(edges);
}

}  // namespace skein
