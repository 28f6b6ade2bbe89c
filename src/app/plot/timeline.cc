#include "app/plot/timeline.h"

#include <algorithm>
#include <cstdio>

#include "app/plot/axis.h"
#include "app/plot/svg.h"
#include "app/plot/timeline_legend.h"
#include "app/plot/timeline_row.h"

namespace skein::plot {
namespace {

constexpr size_t kMaxRows = 256;
constexpr double kWidth = 780;  // of the axes
constexpr double kMargin = 14;
constexpr double kLabelMax = 170;
constexpr double kRight = 62;     // for idle shares
constexpr double kTitle = 40;     // above the legend
constexpr double kPanelTop = 56;  // a run's name, its versions
constexpr double kPanelBottom = 34;
constexpr double kVersionLabel = 34;  // room for one
constexpr double kVersionLine = 12;   // closer ones hide the rows
constexpr double kIndent = 8;

double RowHeight(size_t rows) { return rows <= 48 ? 16 : rows <= 128 ? 12 : 9; }

double LabelSize(double row_height) { return std::min(11.0, row_height - 2); }

std::string Percent(double share) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f%%", 100 * share);
  return text;
}

std::string Describe(const RunActivity& run, const Unit& unit) {
  char time[48];
  std::snprintf(time, sizeof(time), "%.3g", run.end_s / unit.size);
  return std::to_string(run.versions.size()) + " versions in " + time + ' ' + unit.name + ", " +
         (run.status.empty() ? "not ended" : run.status) + ", workers idle " +
         Percent(run.IdleShareOfWorkers());
}

// Which versions have room for their numbers, that far apart: every one, every 2nd, 5th, 10th...
uint64_t LabelEvery(double gap) {
  uint64_t every = 1;
  for (int i = 0; static_cast<double>(every) * gap < kVersionLabel && i < 40; ++i) {
    every = i % 3 == 1 ? every / 2 * 5 : every * 2;
  }
  return every;
}

class Drawing {
 public:
  Drawing(const std::vector<ActiveRun>& runs, size_t rows)
      : row_(RowHeight(rows)),
        unit_(TimeUnit(LastOf(runs))),
        labels_(LabelWidth(runs, LabelSize(row_))),
        time_(0, LastOf(runs) / unit_.size, kMargin + labels_, kMargin + labels_ + kWidth, 10,
              /*to_ticks=*/false),
        legend_(LegendOf(runs), labels_ + kWidth + kRight),
        svg_(2 * kMargin + labels_ + kWidth + kRight,
             kTitle + legend_.height() + row_ * static_cast<double>(rows) +
                 (kPanelTop + kPanelBottom) * static_cast<double>(runs.size()) + 24,
             "timeline") {
    svg_.DefineHatching("away", "#9a9a9a");
    svg_.Text(kMargin, 26, "Who had a task, and when", {.size = 15, .bold = true});
    legend_.Draw(svg_, kMargin, kTitle);
    top_ = kTitle + legend_.height();
  }

  void Add(const ActiveRun& run) {
    const double right = kMargin + labels_ + kWidth;
    svg_.Text(kMargin, top_ + 22, Elide(run.name, 360, 13), {.size = 13, .bold = true});
    svg_.Text(right, top_ + 22, Describe(run.activity, unit_),
              {.anchor = "end", .color = "#555555"});
    svg_.Text(right + kRight, top_ + kPanelTop - 6, "idle",
              {.size = 11, .anchor = "end", .color = "#555555"});
    const double rows_begin = top_ + kPanelTop;
    const double rows_end = rows_begin + row_ * static_cast<double>(run.activity.nodes.size());
    double y = rows_begin;
    for (const NodeActivity& node : run.activity.nodes) {
      AddRow(node, run.activity.end_s, y);
      y += row_;
    }
    AddVersions(run.activity, rows_begin, rows_end);
    for (const double tick : time_.ticks()) {
      svg_.Line(time_.At(tick), rows_end, time_.At(tick), rows_end + 5, "stroke=\"#222222\"");
      svg_.Text(time_.At(tick), rows_end + 17, time_.Label(tick), {.size = 11, .anchor = "middle"});
    }
    svg_.Line(kMargin + labels_, rows_end, right, rows_end, "stroke=\"#222222\"");
    top_ = rows_end + kPanelBottom;
  }

  std::string Finish() {
    svg_.Text(kMargin + labels_ + kWidth / 2, top_ + 8,
              "time since the first round began, " + unit_.name, {.anchor = "middle"});
    return svg_.Finish();
  }

 private:
  static double LastOf(const std::vector<ActiveRun>& runs) {
    double last = 0;
    for (const ActiveRun& run : runs) last = std::max(last, run.activity.end_s);
    return last;
  }

  static double LabelWidth(const std::vector<ActiveRun>& runs, double size) {
    double width = 56;
    for (const ActiveRun& run : runs) {
      for (const NodeActivity& node : run.activity.nodes) {
        width = std::max(width, TextWidth(node.id, size) + kIndent * node.depth + 10);
      }
    }
    return std::min(width, kLabelMax);
  }

  void AddRow(const NodeActivity& node, double end_s, double y) {
    const double size = LabelSize(row_);
    const double indent = std::min(kIndent * node.depth, labels_ / 3);
    svg_.BeginGroup(node.id + ": " + std::to_string(node.Count(Outcome::kCounted)) +
                    " contributions, idle " + Percent(node.IdleShare()));
    svg_.Text(kMargin + indent, y + row_ / 2 + size * 0.36,
              Elide(node.id, labels_ - indent - 6, size), {.size = size});
    const auto at = [this](double s) { return time_.At(s / unit_.size); };
    DrawRow(node, end_s, at, y + row_ * 0.12, row_ * 0.76, svg_);
    if (node.is_worker) {
      svg_.Text(kMargin + labels_ + kWidth + kRight, y + row_ / 2 + size * 0.36,
                Percent(node.IdleShare()), {.size = size, .anchor = "end"});
    }
    svg_.EndGroup();
  }

  // Above the rows, as many as there is room for; lines through them if they are few.
  void AddVersions(const RunActivity& run, double begin, double end) {
    svg_.Text(kMargin, begin - 6, "version", {.size = 10, .color = "#555555"});
    const double width = time_.At(run.end_s / unit_.size) - time_.At(0);
    const double gap = width / static_cast<double>(std::max<size_t>(1, run.versions.size()));
    const bool lines = gap > kVersionLine;
    const uint64_t every = LabelEvery(gap);
    Points marks;
    double labeled = -kVersionLabel;
    for (const Version& version : run.versions) {
      const double x = time_.At(version.time_s / unit_.size);
      if (version.number % every == 0 && x >= labeled + kVersionLabel) {
        labeled = x;
        svg_.Text(x, begin - 8, std::to_string(version.number),
                  {.size = 10, .anchor = "middle", .color = "#555555"});
      }
      if (!marks.empty() && x < marks.back().second + 1) continue;
      marks.emplace_back(x - 0.5, x + 0.5);
      if (lines) {
        svg_.Line(x, begin, x, end,
                  "stroke=\"#333333\" stroke-opacity=\"0.45\" stroke-dasharray=\"2 2\"");
      }
    }
    svg_.Bars(marks, begin - 5, 4, "#333333");
  }

  const double row_;
  const Unit unit_;
  const double labels_;
  const Axis time_;
  const Legend legend_;
  Svg svg_;
  double top_ = 0;
};

}  // namespace

absl::StatusOr<std::string> DrawTimeline(const std::vector<ActiveRun>& runs) {
  size_t rows = 0;
  for (const ActiveRun& run : runs) rows += run.activity.nodes.size();
  if (rows > kMaxRows) {
    return absl::InvalidArgumentError(
        std::to_string(rows) + " nodes are too many for a timeline, which has room for " +
        std::to_string(kMaxRows) + ": name some with --nodes, as in --nodes 'root,a*,w1?'");
  }
  Drawing drawing(runs, rows);
  for (const ActiveRun& run : runs) drawing.Add(run);
  return drawing.Finish();
}

}  // namespace skein::plot
