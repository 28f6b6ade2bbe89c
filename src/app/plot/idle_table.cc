#include "app/plot/idle_table.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

namespace skein::plot {
namespace {

struct Line {
  std::string id;
  size_t tasks = 0;
  size_t counted = 0;
  size_t rejected = 0;
  size_t left_out = 0;
  double busy_s = 0;
  double idle_s = 0;
  double away_s = 0;
  double idle = 0;
};

std::vector<Line> LinesOf(const RunActivity& activity) {
  std::vector<Line> lines;
  for (const NodeActivity& node : activity.nodes) {
    if (!node.is_worker) continue;
    lines.push_back({node.id, node.tasks.size(), node.Count(Outcome::kCounted),
                     node.Count(Outcome::kRejected), node.Count(Outcome::kLeftOut), node.busy_s,
                     node.idle_s, node.away_s, node.IdleShare()});
  }
  return lines;
}

Line SumOf(const std::vector<Line>& lines, const RunActivity& activity) {
  Line sum{.id = "all", .idle = activity.IdleShareOfWorkers()};
  for (const Line& line : lines) {
    sum.tasks += line.tasks;
    sum.counted += line.counted;
    sum.rejected += line.rejected;
    sum.left_out += line.left_out;
    sum.busy_s += line.busy_s;
    sum.idle_s += line.idle_s;
    sum.away_s += line.away_s;
  }
  return sum;
}

std::string Format(const Line& line, size_t width) {
  char text[160];
  std::snprintf(text, sizeof(text), " %7zu %8zu %9zu %9zu %10.1f %10.1f %10.1f %6.2f%%\n",
                line.tasks, line.counted, line.rejected, line.left_out, line.busy_s, line.idle_s,
                line.away_s, 100 * line.idle);
  return line.id + std::string(width - std::min(width, line.id.size()), ' ') + text;
}

Value ToValue(const Line& line) {
  return ValueMap{{"node", line.id},
                  {"tasks", uint64_t{line.tasks}},
                  {"counted", uint64_t{line.counted}},
                  {"rejected", uint64_t{line.rejected}},
                  {"left_out", uint64_t{line.left_out}},
                  {"busy_s", line.busy_s},
                  {"idle_s", line.idle_s},
                  {"away_s", line.away_s},
                  {"idle", line.idle}};
}

}  // namespace

std::string IdleTable(const std::string& run, const RunActivity& activity) {
  std::vector<Line> lines = LinesOf(activity);
  lines.push_back(SumOf(lines, activity));
  size_t width = 8;
  for (const Line& line : lines) width = std::max(width, line.id.size());
  char head[160];
  std::snprintf(head, sizeof(head), " %7s %8s %9s %9s %10s %10s %10s %7s\n", "tasks", "counted",
                "rejected", "left out", "busy, s", "idle, s", "away, s", "idle");
  char span[64];
  std::snprintf(span, sizeof(span), ": %.1f s, %zu versions\n", activity.end_s,
                activity.versions.size());
  std::string table = run + span + "worker" + std::string(width - 6, ' ') + head;
  for (const Line& line : lines) table += Format(line, width);
  return table;
}

Value IdleValue(const std::string& run, const RunActivity& activity) {
  const std::vector<Line> lines = LinesOf(activity);
  ValueList workers;
  for (const Line& line : lines) workers.push_back(ToValue(line));
  return ValueMap{{"run", run},
                  {"seconds", activity.end_s},
                  {"versions", uint64_t{activity.versions.size()}},
                  {"idle", activity.IdleShareOfWorkers()},
                  {"workers", std::move(workers)}};
}

}  // namespace skein::plot
