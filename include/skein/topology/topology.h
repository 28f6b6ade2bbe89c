#ifndef SKEIN_TOPOLOGY_TOPOLOGY_H_
#define SKEIN_TOPOLOGY_TOPOLOGY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/ids.h"
#include "skein/base/names.h"
#include "skein/base/value.h"

namespace skein {

enum class NodeRole : uint8_t { kCoordinator = 1, kAggregator = 2, kWorker = 3 };
const char* NameOf(NodeRole role);  // "coordinator", "aggregator", "worker"

// One node of a validated tree. Indices refer to Topology::nodes().
struct TopologyNode {
  NodeId id;
  NodeRole role = NodeRole::kWorker;
  std::optional<size_t> parent;  // none for the root
  std::vector<size_t> children;  // left to right
  int tier = 0;                  // 0 is the root
  LeafIndex leaf_begin = 0;      // leaves below (or the worker itself): leaf_begin <= i < leaf_end
  LeafIndex leaf_end = 0;
  ValueMap attributes;  // free: address, device, region, ...
  friend bool operator==(const TopologyNode&, const TopologyNode&) = default;
};

// What a builder or file says of a node, before validation.
struct NodeSpec {
  NodeId id;
  NodeRole role = NodeRole::kWorker;
  std::optional<NodeId> parent;
  ValueMap attributes;
  std::string where;  // "sites.yaml:12:3", begins messages about it; may be empty
};

// The tree as an immutable, valid value: one root that is the coordinator, every other node has one
// parent, no cycles, workers are leaves, every inner node has children, ids are unique names
// (CheckName). Nodes are in breadth-first order, the root first; children keep the order in which
// they were listed. A default-constructed one is empty and fit only to be assigned to.
class Topology {
 public:
  static constexpr size_t kMaxNodes = 2'000'000;
  static constexpr int kMaxDepth = 32;  // tiers below the root
  static constexpr size_t kMaxIdBytes = kMaxNameBytes;

  // InvalidArgument names the node (and its `where`), the rule and the remedy.
  static absl::StatusOr<Topology> Create(const std::vector<NodeSpec>& nodes);

  // "flat:32", "tree:4x8", "tree:2x4x8": the last number is workers per lowest aggregator. The root
  // is "root", aggregators "a0 a1 ..." breadth first, workers "w0 ... wN-1" left to right.
  static absl::StatusOr<Topology> FromShape(const std::string& shape);
  static bool LooksLikeShape(const std::string& text);  // "flat:..." or "tree:..."

  const std::vector<TopologyNode>& nodes() const { return nodes_; }
  const TopologyNode& root() const { return nodes_[0]; }
  const TopologyNode& node(size_t i) const { return nodes_[i]; }
  std::optional<size_t> Find(const NodeId& id) const;
  size_t num_workers() const { return workers_.size(); }
  const TopologyNode& worker(LeafIndex leaf) const { return nodes_[workers_[leaf]]; }
  int num_tiers() const { return num_tiers_; }  // root only would be 1; flat:N has 2
  friend bool operator==(const Topology&, const Topology&) = default;

 private:
  std::vector<TopologyNode> nodes_;
  std::vector<size_t> workers_;                   // by leaf index
  std::vector<std::pair<NodeId, size_t>> index_;  // sorted by id
  int num_tiers_ = 0;
};

// Reads a topology file in our form or in Flight's (docs/run_spec.md); the form is recognized by
// its keys. Errors give path, line and column.
absl::StatusOr<Topology> ReadTopologyFile(const std::string& path);
// The same for text; `name` stands for the path in messages.
absl::StatusOr<Topology> ParseTopologyYaml(const std::string& yaml, const std::string& name);

// The tree as a file in our form; reading it gives an equal Topology.
std::string ToYaml(const Topology& topology);

// An indented tree with box-drawing lines (or ASCII), one node a line with role, attributes; runs
// of more than `max_siblings` alike leaves are folded into one line ("w3 ... w7").
struct RenderOptions {
  bool ascii = false;
  size_t max_siblings = 8;
};
std::string RenderTree(const Topology& topology, const RenderOptions& options = {});

// A graph for Graphviz: nodes with their attributes, edges from parent to child.
std::string ToDot(const Topology& topology);

}  // namespace skein

#endif  // SKEIN_TOPOLOGY_TOPOLOGY_H_
