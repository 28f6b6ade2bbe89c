#include "app/plot/timeline_row.h"

#include <algorithm>
#include <vector>

#include "app/plot/timeline_style.h"

namespace skein::plot {
namespace {

// Bars without what is too narrow to see between them: a row has no more than its pixels allow.
Points Joined(const Points& spans) {
  constexpr double kVisible = 0.15;
  Points joined;
  for (const auto& [begin, end] : spans) {
    if (!joined.empty() && begin < joined.back().second + kVisible) {
      joined.back().second = std::max(joined.back().second, end);
    } else {
      joined.emplace_back(begin, std::max(end, begin + kVisible));
    }
  }
  return joined;
}

// Edges of the tasks that end at `places`; none if they would cover more than they show.
Points Edges(const std::vector<double>& places, double room) {
  constexpr double kWidth = 1.2;
  constexpr double kApart = 3.5;
  Points edges;
  if (room < kApart * static_cast<double>(places.size())) return edges;
  for (const double x : places) {
    if (edges.empty() || x >= edges.back().second + kWidth) edges.emplace_back(x - kWidth, x);
  }
  return edges;
}

}  // namespace

void DrawRow(const NodeActivity& node, double end_s, const std::function<double(double)>& at,
             double y, double height, Svg& svg) {
  svg.Rect(at(0), y, at(end_s) - at(0), height, kWaitingFill);
  for (const Outcome outcome :
       {Outcome::kUnfinished, Outcome::kCounted, Outcome::kLeftOut, Outcome::kRejected}) {
    Points spans;
    for (const TaskSpan& task : node.tasks) {
      if (task.outcome == outcome) spans.emplace_back(at(task.begin_s), at(task.end_s));
    }
    svg.Bars(Joined(spans), y, height, FillOf(outcome, node.is_worker));
  }
  std::vector<double> contributions;
  for (const TaskSpan& task : node.tasks) {
    if (task.outcome == Outcome::kCounted) contributions.push_back(at(task.end_s));
  }
  svg.Bars(Edges(contributions, at(end_s) - at(0)), y, height, kContributionFill);
  Points away;
  Points losses;
  for (const Absence& absence : node.absences) {
    away.emplace_back(at(absence.begin_s), at(absence.end_s));
    const double x = away.back().first;
    if (losses.empty() || x > losses.back().first + height) losses.emplace_back(x, y + height / 2);
  }
  svg.Bars(Joined(away), y, height, kAwayFill);
  svg.Crosses(losses, height * 0.32, kLostColor);
}

}  // namespace skein::plot
