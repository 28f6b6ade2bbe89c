#include "topology/topology_yaml.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "topology/yaml_fields.h"
#include "topology/yaml_writer.h"

namespace skein {
namespace {

using Kind = YamlNode::Kind;

// Attributes travel as protobuf Structs, which bound their nesting.
constexpr uint32_t kMaxAttributeHeight = 16;

struct RoleName {
  const char* name;
  NodeRole role;
};

absl::StatusOr<NodeRole> ReadRole(const YamlDocument& document, const YamlNode& node,
                                  const std::string& what, const std::vector<RoleName>& roles) {
  SKEIN_ASSIGN_OR_RETURN(const std::string text, ReadString(document, node, what));
  std::vector<std::string> known;
  for (const RoleName& role : roles) {
    if (text == role.name) return role.role;
    known.push_back(role.name);
  }
  return document.Error(
      node.mark, what + ": unknown " + what + " " + QuoteName(text) + Suggestion(text, known));
}

absl::Status CheckAttribute(const YamlDocument& document, const YamlNode& node) {
  if (node.height <= kMaxAttributeHeight) return absl::OkStatus();
  return document.Error(node.mark, "attributes nested deeper than " +
                                       std::to_string(kMaxAttributeHeight) + " levels");
}

absl::StatusOr<std::string> ReadId(const YamlDocument& document, const YamlNode& node,
                                   const std::string& what) {
  if (node.kind == Kind::kScalar) return node.text;
  return document.Error(node.mark, what + ": expected a node's id, got " + Describe(node));
}

// Our form: {id, role, parent, attributes}.
absl::StatusOr<NodeSpec> ReadNode(const YamlDocument& document, const YamlNode& node) {
  SKEIN_RETURN_IF_ERROR(CheckMap(document, node, "node", {"id", "role", "parent", "attributes"}));
  NodeSpec spec;
  spec.where = document.Where(node.mark);
  const YamlNode* id = FindValue(node, "id");
  if (id == nullptr) return document.Error(node.mark, "node: the key 'id' is missing: add it");
  SKEIN_ASSIGN_OR_RETURN(spec.id, ReadId(document, *id, "id"));
  const YamlNode* role = FindValue(node, "role");
  if (role == nullptr) {
    return document.Error(node.mark, "node " + QuoteName(spec.id) +
                                         ": the key 'role' is missing: add coordinator, "
                                         "aggregator or worker");
  }
  SKEIN_ASSIGN_OR_RETURN(spec.role, ReadRole(document, *role, "role",
                                             {{"coordinator", NodeRole::kCoordinator},
                                              {"aggregator", NodeRole::kAggregator},
                                              {"worker", NodeRole::kWorker}}));
  if (const YamlNode* parent = FindValue(node, "parent")) {
    SKEIN_ASSIGN_OR_RETURN(spec.parent, ReadId(document, *parent, "parent"));
  }
  if (const YamlNode* attributes = FindValue(node, "attributes")) {
    SKEIN_RETURN_IF_ERROR(CheckAttribute(document, *attributes));
    SKEIN_ASSIGN_OR_RETURN(spec.attributes, ReadValueMap(document, *attributes, "attributes"));
  }
  return spec;
}

absl::StatusOr<Topology> ReadOurForm(const YamlDocument& document, const YamlNode& root) {
  SKEIN_RETURN_IF_ERROR(CheckMap(document, root, "", {"nodes"}));
  const YamlNode& list = *root.Find("nodes");
  if (list.entries.empty()) {
    return document.Error(list.mark, "'nodes' is empty: list a coordinator and its workers");
  }
  std::vector<NodeSpec> specs;
  specs.reserve(list.entries.size());
  for (const YamlNode::Entry& entry : list.entries) {
    SKEIN_ASSIGN_OR_RETURN(NodeSpec spec, ReadNode(document, *entry.value));
    specs.push_back(std::move(spec));
  }
  return Topology::Create(specs);
}

// Flight's form names children, ours the parent. Keeps the order of each list of children.
class FlightReader {
 public:
  explicit FlightReader(const YamlDocument& document) : document_(document) {}

  absl::StatusOr<Topology> Read(const YamlNode& root) {
    for (size_t i = 0; i < root.entries.size(); ++i) index_.emplace(root.entries[i].key, i);
    specs_.resize(root.entries.size());
    children_.resize(root.entries.size());
    for (size_t i = 0; i < root.entries.size(); ++i) {
      SKEIN_RETURN_IF_ERROR(ReadEntry(root.entries[i], i));
    }
    return Topology::Create(InOrder());
  }

 private:
  absl::Status ReadEntry(const YamlNode::Entry& entry, size_t i) {
    const std::string name = "node " + QuoteName(entry.key);
    if (entry.value->kind != Kind::kMap) {
      return document_.Error(
          entry.value->mark,
          name + ": expected a map with kind and children, got " + Describe(*entry.value));
    }
    specs_[i].id = entry.key;
    specs_[i].where = document_.Where(entry.key_mark);
    bool has_kind = false;
    for (const YamlNode::Entry& field : entry.value->entries) {
      if (field.key == "kind") {
        has_kind = true;
        SKEIN_ASSIGN_OR_RETURN(specs_[i].role, ReadRole(document_, *field.value, "kind",
                                                        {{"leader", NodeRole::kCoordinator},
                                                         {"coordinator", NodeRole::kCoordinator},
                                                         {"aggregator", NodeRole::kAggregator},
                                                         {"worker", NodeRole::kWorker}}));
      } else if (field.key == "children") {
        SKEIN_RETURN_IF_ERROR(ReadChildren(*field.value, name, i));
      } else {
        SKEIN_RETURN_IF_ERROR(CheckAttribute(document_, *field.value));
        SKEIN_ASSIGN_OR_RETURN(Value value, ToValue(document_, *field.value));
        specs_[i].attributes.emplace(field.key, std::move(value));
      }
    }
    if (has_kind) return absl::OkStatus();
    return document_.Error(entry.key_mark, name +
                                               ": the key 'kind' is missing: add leader, "
                                               "aggregator or worker");
  }

  absl::Status ReadChildren(const YamlNode& list, const std::string& name, size_t parent) {
    if (list.kind == Kind::kNull) return absl::OkStatus();
    if (list.kind != Kind::kList) {
      return document_.Error(list.mark,
                             name + ": children: expected a list of ids, got " + Describe(list));
    }
    for (const YamlNode::Entry& item : list.entries) {
      SKEIN_ASSIGN_OR_RETURN(const std::string id,
                             ReadId(document_, *item.value, name + ": children"));
      const auto child = index_.find(id);
      if (child == index_.end()) {
        return document_.Error(item.value->mark, name + " has the child " + QuoteName(id) +
                                                     ", which is not listed" + SuggestId(id));
      }
      NodeSpec& spec = specs_[child->second];
      if (spec.parent) {
        return document_.Error(item.value->mark, "node " + QuoteName(id) + " is a child of both " +
                                                     QuoteName(*spec.parent) + " and " +
                                                     QuoteName(specs_[parent].id) + ": keep one");
      }
      spec.parent = specs_[parent].id;
      children_[parent].push_back(child->second);
    }
    return absl::OkStatus();
  }

  // Breadth first from what has no parent; then the rest, which Create will refuse.
  std::vector<NodeSpec> InOrder() {
    std::vector<size_t> order;
    std::vector<bool> placed(specs_.size());
    const auto place = [&](size_t i) {
      placed[i] = true;
      order.push_back(i);
    };
    for (size_t i = 0; i < specs_.size(); ++i) {
      if (!specs_[i].parent) place(i);
    }
    for (size_t at = 0; at < order.size(); ++at) {
      for (const size_t child : children_[order[at]]) place(child);
    }
    for (size_t i = 0; i < specs_.size(); ++i) {
      if (!placed[i]) place(i);
    }
    std::vector<NodeSpec> result;
    result.reserve(specs_.size());
    for (const size_t i : order) result.push_back(std::move(specs_[i]));
    return result;
  }

  std::string SuggestId(const std::string& id) const {
    std::vector<std::string> ids;
    for (const auto& [known, position] : index_) ids.push_back(known);
    std::sort(ids.begin(), ids.end());
    return Suggestion(id, ids);
  }

  const YamlDocument& document_;
  std::unordered_map<std::string, size_t> index_;
  std::vector<NodeSpec> specs_;
  std::vector<std::vector<size_t>> children_;
};

bool LooksLikeFlight(const YamlNode& root) {
  return std::any_of(root.entries.begin(), root.entries.end(), [](const YamlNode::Entry& entry) {
    return entry.value->kind == Kind::kMap &&
           (entry.value->Find("kind") != nullptr || entry.value->Find("children") != nullptr);
  });
}

}  // namespace

absl::StatusOr<Topology> TopologyFromYaml(const YamlDocument& document, const YamlNode& node) {
  if (node.kind != Kind::kMap) {
    return document.Error(node.mark,
                          "expected a topology (a map with 'nodes', or Flight's map of "
                          "nodes with 'kind' and 'children'), got " +
                              Describe(node));
  }
  const YamlNode* nodes = node.Find("nodes");
  if (nodes != nullptr && nodes->kind == Kind::kList) return ReadOurForm(document, node);
  if (LooksLikeFlight(node)) return FlightReader(document).Read(node);
  SKEIN_RETURN_IF_ERROR(CheckMap(document, node, "topology", {"nodes"}));
  if (nodes == nullptr) return document.Error(node.mark, "the key 'nodes' is missing: add it");
  return document.Error(nodes->mark, "nodes: expected a list of nodes, got " + Describe(*nodes));
}

absl::StatusOr<Topology> ReadTopologyFile(const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(const YamlDocument document, YamlDocument::Read(path));
  return TopologyFromYaml(document, document.root());
}

absl::StatusOr<Topology> ParseTopologyYaml(const std::string& yaml, const std::string& name) {
  SKEIN_ASSIGN_OR_RETURN(const YamlDocument document, YamlDocument::Parse(yaml, name));
  return TopologyFromYaml(document, document.root());
}

std::string ToYaml(const Topology& topology) {
  std::string out = "nodes:\n";
  for (const TopologyNode& node : topology.nodes()) {
    out += "  - {id: " + ToFlowYaml(Value(node.id)) + ", role: " + NameOf(node.role);
    if (node.parent) out += ", parent: " + ToFlowYaml(Value(topology.node(*node.parent).id));
    if (!node.attributes.empty()) out += ", attributes: " + ToFlowYaml(Value(node.attributes));
    out += "}\n";
  }
  return out;
}

}  // namespace skein
