#include "app/plot/label_histogram.h"

#include <algorithm>
#include <utility>

#include "app/plot/svg.h"

namespace skein::plot {
namespace {

constexpr const char* kColors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                   "#e69f00", "#56b4e9", "#6a3d9a", "#f0e442",
                                   "#8c564b", "#17becf", "#b2df8a", "#fb9a99"};
constexpr char kOtherColor[] = "#999999";
constexpr size_t kMaxRows = 400;

constexpr double kLeft = 150;  // where bars begin
constexpr double kWidth = 520;
constexpr double kTop = 76;
constexpr double kRow = 18;
constexpr double kBar = 13;
constexpr double kIndent = 12;  // of a tier
constexpr double kRight = 90;   // for the numbers of samples
constexpr double kLegendStep = 62;

// The colors of the most frequent labels, by label.
std::map<int64_t, std::string> ColorsOf(const LabelCounts& all) {
  std::vector<std::pair<int64_t, size_t>> labels(all.labels.begin(), all.labels.end());
  std::ranges::stable_sort(labels, std::greater<>(), &std::pair<int64_t, size_t>::second);
  if (labels.size() > std::size(kColors)) labels.resize(std::size(kColors));
  std::ranges::sort(labels);
  std::map<int64_t, std::string> colors;
  for (const auto& [label, count] : labels) colors.emplace(label, kColors[colors.size()]);
  return colors;
}

std::string Tooltip(const LabelCounts& node) {
  std::string text = node.id + ", " + std::to_string(node.samples) + " samples";
  for (const auto& [label, count] : node.labels) {
    text += "\n" + std::to_string(label) + ": " + std::to_string(count);
  }
  return text;
}

void DrawLegend(const std::map<int64_t, std::string>& colors, bool others, Svg& svg) {
  double x = kLeft;
  double y = 40;
  const auto entry = [&](const std::string& name, const std::string& color) {
    svg.Rect(x, y, 11, 11, color);
    svg.Text(x + 15, y + 10, Elide(name, kLegendStep - 18, 11), {.size = 11});
    x += kLegendStep;
    if (x + kLegendStep > kLeft + kWidth + kRight) {
      x = kLeft;
      y += 16;
    }
  };
  for (const auto& [label, color] : colors) entry(std::to_string(label), color);
  if (others) entry("others", kOtherColor);
}

void DrawBar(const LabelCounts& node, const std::map<int64_t, std::string>& colors, double y,
             Svg& svg) {
  double x = kLeft;
  size_t others = 0;
  const auto draw = [&](size_t count, const std::string& color) {
    const double width = kWidth * static_cast<double>(count) / static_cast<double>(node.samples);
    svg.Rect(x, y, width, kBar, color);
    x += width;
  };
  for (const auto& [label, count] : node.labels) {
    const auto color = colors.find(label);
    if (color == colors.end()) {
      others += count;
    } else {
      draw(count, color->second);
    }
  }
  if (others > 0) draw(others, kOtherColor);
}

}  // namespace

std::vector<LabelCounts> CountLabels(const Topology& topology, const Partition& parts,
                                     const std::vector<int64_t>& labels) {
  std::vector<LabelCounts> counts;
  std::vector<size_t> next = {0};  // a stack, the leftmost on top
  while (!next.empty()) {
    const TopologyNode& node = topology.node(next.back());
    next.pop_back();
    next.insert(next.end(), node.children.rbegin(), node.children.rend());
    LabelCounts& own = counts.emplace_back(LabelCounts{node.id, node.role, node.tier, 0, {}});
    for (LeafIndex leaf = node.leaf_begin; leaf < node.leaf_end; ++leaf) {
      own.samples += parts[leaf].size();
      for (const uint32_t sample : parts[leaf]) ++own.labels[labels[sample]];
    }
  }
  return counts;
}

std::string DrawLabels(const std::vector<LabelCounts>& nodes, const std::string& title) {
  const bool all = nodes.size() <= kMaxRows;
  std::vector<const LabelCounts*> rows;
  for (const LabelCounts& node : nodes) {
    if (all || node.role != NodeRole::kWorker) rows.push_back(&node);
  }
  if (rows.size() > kMaxRows) rows.resize(kMaxRows);
  const auto colors = ColorsOf(nodes.front());
  Svg svg(kLeft + kWidth + kRight, kTop + kRow * static_cast<double>(rows.size()) + 24, title);
  svg.Text(kLeft, 24, title, {.size = 15, .bold = true});
  DrawLegend(colors, colors.size() < nodes.front().labels.size(), svg);
  double y = kTop;
  for (const LabelCounts* node : rows) {
    const bool inner = node->role != NodeRole::kWorker;
    const double x = 12 + kIndent * std::min(node->tier, 6);
    svg.BeginGroup(Tooltip(*node));
    svg.Text(x, y + kBar - 2, Elide(node->id, kLeft - x - 6, 11), {.size = 11, .bold = inner});
    if (node->samples > 0) DrawBar(*node, colors, y, svg);
    svg.Text(kLeft + kWidth + 8, y + kBar - 2, std::to_string(node->samples),
             {.size = 11, .bold = inner});
    svg.EndGroup();
    y += kRow;
  }
  if (rows.size() < nodes.size()) {
    svg.Text(kLeft, y + 12, "of " + std::to_string(nodes.size()) + " nodes, workers not shown",
             {.size = 11});
  }
  return svg.Finish();
}

}  // namespace skein::plot
