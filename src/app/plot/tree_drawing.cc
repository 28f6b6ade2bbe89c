#include "app/plot/tree_drawing.h"

#include <algorithm>

#include "app/plot/svg.h"

namespace skein::plot {
namespace {

constexpr double kMargin = 30;
constexpr double kRow = 80;
constexpr double kNarrowest = 6;   // between workers
constexpr double kWithNames = 44;  // between workers whose names are written
constexpr size_t kMostNames = 40;
constexpr char kEdge[] = "stroke=\"#bbbbbb\" stroke-width=\"1\"";

const char* ColorOf(NodeRole role) {
  switch (role) {
    case NodeRole::kCoordinator:
      return "#b03a2e";
    case NodeRole::kAggregator:
      return "#2e6da4";
    case NodeRole::kWorker:
      break;
  }
  return "#3a8f5c";
}

double RadiusOf(NodeRole role) { return role == NodeRole::kWorker ? 4 : 8; }

std::string Tooltip(const TopologyNode& node) {
  std::string text = node.id + ", " + NameOf(node.role);
  for (const auto& [key, value] : node.attributes) text += "\n" + key + ": " + ToJson(value);
  return text;
}

}  // namespace

std::string DrawTree(const Topology& topology, const std::string& title) {
  const size_t workers = topology.num_workers();
  const bool names = workers <= kMostNames;
  const double step = names ? kWithNames : std::max(kNarrowest, 1600.0 / workers);
  const double width = 2 * kMargin + step * static_cast<double>(workers);
  const double height = 2 * kMargin + kRow * (topology.num_tiers() - 1) + 14;
  const auto x = [&](const TopologyNode& node) {
    return kMargin + step * (static_cast<double>(node.leaf_begin) + node.leaf_end) / 2;
  };
  const auto y = [&](const TopologyNode& node) { return kMargin + kRow * node.tier; };

  Svg svg(width, height, title);
  for (const TopologyNode& node : topology.nodes()) {
    if (!node.parent) continue;
    const TopologyNode& parent = topology.node(*node.parent);
    svg.Line(x(parent), y(parent), x(node), y(node), kEdge);
  }
  for (const TopologyNode& node : topology.nodes()) {
    const double radius = RadiusOf(node.role);
    svg.BeginGroup(Tooltip(node));
    svg.Dots({{x(node), y(node)}}, radius, ColorOf(node.role));
    const bool worker = node.role == NodeRole::kWorker;
    if (!worker) {
      svg.Text(x(node), y(node) - radius - 4, node.id, {.anchor = "middle"});
    } else if (names) {
      svg.Text(x(node), y(node) + radius + 12, Elide(node.id, step, 10),
               {.size = 10, .anchor = "middle"});
    }
    svg.EndGroup();
  }
  return svg.Finish();
}

}  // namespace skein::plot
