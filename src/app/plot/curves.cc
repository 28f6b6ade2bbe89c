#include "app/plot/curves.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "app/plot/axis.h"
#include "app/plot/svg.h"

namespace skein::plot {
namespace {

// Told apart by people who see colors differently, too (Okabe and Ito); then by dashes.
constexpr const char* kColors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                   "#e69f00", "#56b4e9", "#6a3d9a", "#444444"};
constexpr const char* kDashes[] = {"", "7 3", "2 2.5", "8 3 2 3"};
constexpr size_t kMaxRuns = std::size(kColors) * std::size(kDashes);

constexpr double kWidth = 620;  // of the axes
constexpr double kHeight = 340;
constexpr double kLeft = 72;
constexpr double kTop = 44;
constexpr double kBottom = 56;
constexpr double kLegendGap = 20;
constexpr double kLegendRow = 20;
constexpr double kLegendText = 36;  // after the sample of the line
constexpr double kLegendMax = 260;
constexpr size_t kDotsMax = 40;  // a curve of more points is a line alone

struct Curve {
  std::string name;
  Points points;
};

double Of(const Spent& spent, Over over) {
  switch (over) {
    case Over::kTime:
      return spent.time_s;
    case Over::kBytes:
      return spent.bytes;
    case Over::kBytesAtRoot:
      return spent.bytes_at_root;
    case Over::kUpdates:
      return static_cast<double>(spent.updates);
    case Over::kRounds:
      return static_cast<double>(spent.rounds);
  }
  return 0;
}

std::string AxisName(Over over, const std::string& unit) {
  switch (over) {
    case Over::kTime:
      return "time since the first round began, " + unit;
    case Over::kBytes:
      return "bytes on all links, both ways, " + unit;
    case Over::kBytesAtRoot:
      return "bytes between the root and its children, both ways, " + unit;
    case Over::kUpdates:
      return "updates";
    case Over::kRounds:
      return "rounds, or versions where the root has no barrier";
  }
  return "";
}

Unit UnitOf(Over over, double most) {
  if (over == Over::kTime) return TimeUnit(most);
  if (over == Over::kBytes || over == Over::kBytesAtRoot) return ByteUnit(most);
  return {"", 1};
}

const char* TitleOf(Over over) {
  switch (over) {
    case Over::kTime:
      return " over time";
    case Over::kBytes:
      return " over traffic";
    case Over::kBytesAtRoot:
      return " over traffic at the root";
    case Over::kUpdates:
      return " over updates";
    case Over::kRounds:
      return " over rounds";
  }
  return "";
}

absl::StatusOr<Curve> CurveOf(const EvaluatedRun& run, Over over, const std::string& metric) {
  if (run.evaluations.empty()) {
    return absl::InvalidArgumentError(run.name + ": there is no evaluation in its events");
  }
  Curve curve{run.name, {}};
  std::set<std::string> known;
  for (const Evaluation& evaluation : run.evaluations) {
    for (const auto& [name, value] : evaluation.metrics) known.insert(name);
    const auto it = evaluation.metrics.find(metric);
    if (it == evaluation.metrics.end()) continue;  // none, or no finite one
    curve.points.emplace_back(Of(evaluation.spent, over), it->second);
  }
  if (!curve.points.empty()) return curve;
  std::string names;
  for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
  return absl::InvalidArgumentError(run.name + ": its evaluations have no '" + metric +
                                    "'; they have: " + (names.empty() ? "nothing" : names));
}

// What is seen of a line: of many points in one column of pixels the first, the last and the
// extreme ones.
Points Thinned(const Points& points) {
  Points thinned;
  for (size_t begin = 0; begin < points.size();) {
    size_t end = begin;
    size_t low = begin;
    size_t high = begin;
    while (end < points.size() &&
           std::floor(points[end].first) == std::floor(points[begin].first)) {
      if (points[end].second < points[low].second) low = end;
      if (points[end].second > points[high].second) high = end;
      ++end;
    }
    for (const size_t kept : std::set<size_t>{begin, low, high, end - 1}) {
      thinned.push_back(points[kept]);
    }
    begin = end;
  }
  return thinned;
}

std::string StrokeOf(size_t curve) {
  const std::string dashes = kDashes[curve / std::size(kColors)];
  return std::string("stroke=\"") + kColors[curve % std::size(kColors)] +
         "\" stroke-width=\"2\" stroke-linejoin=\"round\"" +
         (dashes.empty() ? "" : " stroke-dasharray=\"" + dashes + '"');
}

void DrawAxes(Svg& svg, const Axis& x, const Axis& y, const std::string& x_name,
              const std::string& y_name) {
  const double bottom = kTop + kHeight;
  for (const double tick : y.ticks()) {
    svg.Line(kLeft, y.At(tick), kLeft + kWidth, y.At(tick), "stroke=\"#e2e2e2\"");
    svg.Text(kLeft - 8, y.At(tick) + 4, y.Label(tick), {.anchor = "end"});
  }
  for (const double tick : x.ticks()) {
    svg.Line(x.At(tick), bottom, x.At(tick), bottom + 5, "stroke=\"#222222\"");
    svg.Text(x.At(tick), bottom + 19, x.Label(tick), {.anchor = "middle"});
  }
  svg.Line(kLeft, bottom, kLeft + kWidth, bottom, "stroke=\"#222222\"");
  svg.Text(kLeft + kWidth / 2, bottom + 42, x_name, {.anchor = "middle"});
  svg.Text(18, kTop + kHeight / 2, y_name, {.anchor = "middle", .upright = true});
}

}  // namespace

absl::StatusOr<std::string> DrawCurves(const std::vector<EvaluatedRun>& runs, Over over,
                                       const std::string& metric) {
  if (runs.size() > kMaxRuns) {
    return absl::InvalidArgumentError(std::to_string(runs.size()) +
                                      " runs are too many for a plot: " + std::to_string(kMaxRuns) +
                                      " lines can be told apart");
  }
  std::vector<Curve> curves;
  double most = 0;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  double legend = 0;
  for (const EvaluatedRun& run : runs) {
    absl::StatusOr<Curve> curve = CurveOf(run, over, metric);
    if (!curve.ok()) return curve.status();
    for (const auto& [x, y] : curve->points) {
      most = std::max(most, x);
      low = std::min(low, y);
      high = std::max(high, y);
    }
    legend = std::max(legend, TextWidth(run.name, 12));
    curves.push_back(*std::move(curve));
  }
  const Unit unit = UnitOf(over, most);
  const Axis x(0, most / unit.size, kLeft, kLeft + kWidth, 8, /*to_ticks=*/false);
  const Axis y(low, high, kTop + kHeight, kTop, 6, /*to_ticks=*/true);

  legend = kLegendText + std::min(legend, kLegendMax - kLegendText);
  const double rows = kLegendRow * static_cast<double>(curves.size());
  Svg svg(kLeft + kWidth + kLegendGap + legend + 8, kTop + std::max(kHeight + kBottom, rows + 12),
          metric + TitleOf(over));
  svg.Text(kLeft, 24, metric + TitleOf(over), {.size = 15, .bold = true});
  DrawAxes(svg, x, y, AxisName(over, unit.name), metric);
  const double left = kLeft + kWidth + kLegendGap;
  for (size_t i = 0; i < curves.size(); ++i) {
    Points places;
    for (const auto& [at, value] : curves[i].points) {
      places.emplace_back(x.At(at / unit.size), y.At(value));
    }
    svg.BeginGroup(curves[i].name);
    svg.Polyline(Thinned(places), StrokeOf(i));
    if (places.size() <= kDotsMax) svg.Dots(places, 2.6, kColors[i % std::size(kColors)]);
    const double row = kTop + 8 + kLegendRow * static_cast<double>(i);
    svg.Line(left, row, left + 28, row, StrokeOf(i));
    svg.Text(left + kLegendText, row + 4, Elide(curves[i].name, legend - kLegendText, 12), {});
    svg.EndGroup();
  }
  return svg.Finish();
}

}  // namespace skein::plot
