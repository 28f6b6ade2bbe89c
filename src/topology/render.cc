#include <algorithm>

#include "skein/topology/topology.h"
#include "topology/yaml_writer.h"

namespace skein {
namespace {

struct Lines {
  const char* branch;
  const char* last;
  const char* through;
  const char* blank;
};
constexpr Lines kBoxes = {"├── ", "└── ", "│   ", "    "};
constexpr Lines kAscii = {"|-- ", "`-- ", "|   ", "    "};

std::string Attributes(const TopologyNode& node) {
  std::string text;
  for (const auto& [key, value] : node.attributes) text += "  " + key + "=" + ToFlowYaml(value);
  return text;
}

// A node whose children are being printed.
struct OpenNode {
  size_t node;
  size_t next_child;
  std::string indent;  // of its children
};

// How many children from `begin` on are workers with the attributes of the first.
size_t RunLength(const Topology& topology, const TopologyNode& parent, size_t begin) {
  const TopologyNode& first = topology.node(parent.children[begin]);
  if (first.role != NodeRole::kWorker) return 1;
  size_t end = begin + 1;
  for (; end < parent.children.size(); ++end) {
    const TopologyNode& other = topology.node(parent.children[end]);
    if (other.role != NodeRole::kWorker || other.attributes != first.attributes) break;
  }
  return end - begin;
}

}  // namespace

std::string RenderTree(const Topology& topology, const RenderOptions& options) {
  if (topology.nodes().empty()) return "";
  const Lines& lines = options.ascii ? kAscii : kBoxes;
  const auto label = [](const TopologyNode& node) {
    return node.id + "  " + NameOf(node.role) + Attributes(node) + "\n";
  };
  std::string out = label(topology.root());
  std::vector<OpenNode> open = {{0, 0, ""}};
  while (!open.empty()) {
    OpenNode& top = open.back();
    const TopologyNode& parent = topology.node(top.node);
    if (top.next_child == parent.children.size()) {
      open.pop_back();
      continue;
    }
    const size_t begin = top.next_child;
    size_t run = RunLength(topology, parent, begin);
    const bool fold = run > std::max<size_t>(options.max_siblings, 1);
    // A run is measured once: its members that are not folded are printed here, too.
    for (size_t i = begin; i < begin + (fold ? 1 : run); ++i) {
      const TopologyNode& child = topology.node(parent.children[i]);
      const bool last = (fold ? begin + run : i + 1) == parent.children.size();
      out += top.indent + (last ? lines.last : lines.branch);
      if (fold) {
        const TopologyNode& end = topology.node(parent.children[begin + run - 1]);
        out += child.id + " ... " + end.id + "  " + std::to_string(run) + " workers" +
               Attributes(child) + "\n";
      } else {
        out += label(child);
      }
    }
    top.next_child = begin + run;
    const size_t child = parent.children[begin];
    if (topology.node(child).role != NodeRole::kWorker) {
      const bool last = top.next_child == parent.children.size();
      open.push_back({child, 0, top.indent + (last ? lines.blank : lines.through)});
    }
  }
  return out;
}

}  // namespace skein
