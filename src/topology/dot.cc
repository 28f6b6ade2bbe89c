#include "skein/topology/topology.h"
#include "topology/yaml_writer.h"

namespace skein {
namespace {

// In quotes; "\n" stays a line break of the label.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

const char* ShapeOf(NodeRole role) {
  switch (role) {
    case NodeRole::kCoordinator:
      return "doubleoctagon";
    case NodeRole::kAggregator:
      return "box";
    case NodeRole::kWorker:
      break;
  }
  return "ellipse";
}

}  // namespace

std::string ToDot(const Topology& topology) {
  std::string out = "digraph topology {\n  rankdir=TB;\n";
  for (const TopologyNode& node : topology.nodes()) {
    std::string label = node.id;
    for (const auto& [key, value] : node.attributes) {
      label += '\n' + key + ": " + ToFlowYaml(value);
    }
    out += "  " + Quoted(node.id) + " [shape=" + ShapeOf(node.role);
    if (label != node.id) out += ", label=" + Quoted(label);
    out += "];\n";
  }
  for (const TopologyNode& node : topology.nodes()) {
    if (!node.parent) continue;
    out += "  " + Quoted(topology.node(*node.parent).id) + " -> " + Quoted(node.id) + ";\n";
  }
  return out + "}\n";
}

}  // namespace skein
