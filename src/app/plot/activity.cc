#include "app/plot/activity.h"

#include <algorithm>
#include <utility>

#include "app/plot/natural_order.h"
#include "observe/event_fields.h"

namespace skein::plot {

size_t NodeActivity::Count(Outcome outcome) const {
  return static_cast<size_t>(std::count_if(
      tasks.begin(), tasks.end(), [&](const TaskSpan& task) { return task.outcome == outcome; }));
}

double NodeActivity::IdleShare() const {
  const double there = busy_s + idle_s;
  return there > 0 ? idle_s / there : 0;
}

double RunActivity::IdleShareOfWorkers() const {
  double idle = 0;
  double there = 0;
  for (const NodeActivity& node : nodes) {
    if (!node.is_worker) continue;
    idle += node.idle_s;
    there += node.idle_s + node.busy_s;
  }
  return there > 0 ? idle / there : 0;
}

void ActivityReader::OnEvent(const Event& event) {
  if (event.type == event::kRoundOpened && !started_s_) started_s_ = event.time_s;
  const double now_s = started_s_ ? std::max(0.0, event.time_s - *started_s_) : 0;
  last_s_ = std::max(last_s_, now_s);
  if (event.type == event::kNodeStarted) {
    OnNodeStarted(event, now_s);
  } else if (event.type == event::kNodeLost) {
    Node& node = nodes_[event.node];
    if (!node.lost_s) node.lost_s = now_s;
  } else if (event.type == event::kRoundOpened) {
    root_open_s_ = now_s;
    participants_ = CountField(event.fields, "participants");
  } else if (event.type == event::kRoundCommitted || event.type == event::kVersionCommitted) {
    OnCommitted(event, now_s);
  } else if (event.type == event::kWorkersSummarized) {
    summarized_ = true;
  } else if (event.type == event::kRunEnded) {
    run_.status = TextField(event.fields, "status");
  } else if (event.type == event::kUpdateAccepted || event.type == event::kPartialAccepted ||
             event.type == event::kUpdateRejected || event.type == event::kWorkerLeftOut) {
    OnReport(event, now_s);
  }
}

void ActivityReader::OnNodeStarted(const Event& event, double now_s) {
  Node& node = nodes_[event.node];
  const std::string role = TextField(event.fields, "role");
  node.activity.is_worker = role == "worker";
  if (role == "coordinator") root_ = event.node;
  const std::string parent = TextField(event.fields, "parent");
  if (!parent.empty()) node.activity.parent = parent;
  if (!node.lost_s) return;
  node.activity.absences.push_back({*std::exchange(node.lost_s, std::nullopt), now_s});
  node.last_s = now_s;
  node.asked_again = true;
}

void ActivityReader::OnReport(const Event& event, double now_s) {
  if (TextField(event.fields, "task") == "evaluate") return;  // others of these are not reported
  const bool accepted =
      event.type == event::kUpdateAccepted || event.type == event::kPartialAccepted;
  Node& node = nodes_[event.node];
  node.activity.parent = TextField(event.fields, "parent");
  if (event.type == event::kUpdateAccepted) node.activity.is_worker = true;
  if (event.fields.contains("staleness")) streams_.insert(node.activity.parent);
  if (const auto task_s = NumberField(event.fields, "task_s")) {
    Outcome outcome = accepted ? Outcome::kCounted : Outcome::kLeftOut;
    if (event.type == event::kUpdateRejected) outcome = Outcome::kRejected;
    Add(node, now_s - *task_s, now_s, outcome);
  } else if (accepted) {
    lacks_task_times_ = true;
  }
  node.reported_on = true;
  node.asked_again = accepted;
  node.last_s = now_s;
}

void ActivityReader::OnCommitted(const Event& event, double now_s) {
  if (root_.empty()) root_ = event.node;
  run_.versions.push_back({event.round, now_s});
  if (root_open_s_) Add(nodes_[root_], *root_open_s_, now_s, Outcome::kCounted);
  root_open_s_.reset();
  if (event.type == event::kVersionCommitted) root_open_s_ = now_s;  // there is no pause
}

// Events of several processes are stamped when they arrive, some milliseconds apart, and an answer
// of several parts is reported part by part.
void ActivityReader::Add(Node& node, double begin_s, double end_s, Outcome outcome) {
  auto& tasks = node.activity.tasks;
  begin_s = std::max({0.0, begin_s, tasks.empty() ? 0.0 : tasks.back().end_s});
  tasks.push_back({begin_s, std::max(begin_s, end_s), outcome});
}

absl::StatusOr<RunActivity> ActivityReader::Take() {
  if (!started_s_) return absl::FailedPreconditionError("no round has begun in its events");
  if (summarized_) {
    return absl::FailedPreconditionError(
        "its events sum workers up; run it with --events all to see what each did");
  }
  if (lacks_task_times_) {
    return absl::FailedPreconditionError(
        "its events do not say how long tasks took ('task_s'); an older version made them");
  }
  const bool completed = run_.status == "completed" && !run_.versions.empty();
  run_.end_s = completed ? run_.versions.back().time_s : last_s_;
  if (!completed && root_open_s_ && !root_.empty()) {
    Add(nodes_[root_], *root_open_s_, run_.end_s, Outcome::kUnfinished);
  }
  const auto workers = std::count_if(nodes_.begin(), nodes_.end(), [](const auto& entry) {
    return entry.second.activity.is_worker;
  });
  const bool all_take_part = participants_ >= static_cast<uint64_t>(workers);
  std::vector<NodeId> ids;
  for (auto& [id, node] : nodes_) {
    node.activity.id = id;
    AddUnfinished(node, all_take_part);
    Finish(node.activity);
    ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end(), NaturallyBefore);
  for (const NodeId& id : ids) children_[nodes_.at(id).activity.parent].push_back(id);
  AppendSubtree(root_);
  for (const NodeId& id : ids) AppendSubtree(id);  // whose parents are unknown
  return std::move(run_);
}

void ActivityReader::AddUnfinished(Node& node, bool all_take_part) {
  if (node.lost_s) return node.activity.absences.push_back({*node.lost_s, run_.end_s});
  const bool takes_part = node.reported_on || all_take_part;
  if (takes_part && node.asked_again && streams_.contains(node.activity.parent) &&
      node.last_s < run_.end_s) {
    Add(node, node.last_s, run_.end_s, Outcome::kUnfinished);
  }
}

void ActivityReader::Finish(NodeActivity& activity) const {
  // What came after the last version is in none.
  std::erase_if(activity.tasks, [this](const TaskSpan& t) { return t.begin_s >= run_.end_s; });
  for (TaskSpan& task : activity.tasks) {
    if (task.end_s > run_.end_s) task = {task.begin_s, run_.end_s, Outcome::kUnfinished};
    activity.busy_s += task.end_s - task.begin_s;
  }
  std::erase_if(activity.absences, [this](const Absence& a) { return a.begin_s >= run_.end_s; });
  for (Absence& absence : activity.absences) {
    absence.end_s = std::min(absence.end_s, run_.end_s);
    // Until its parent heard of the loss, the task was not over.
    auto task = std::partition_point(
        activity.tasks.begin(), activity.tasks.end(),
        [&](const TaskSpan& earlier) { return earlier.end_s <= absence.begin_s; });
    double away_s = absence.end_s - absence.begin_s;
    for (; task != activity.tasks.end() && task->begin_s < absence.end_s; ++task) {
      away_s -= std::min(task->end_s, absence.end_s) - std::max(task->begin_s, absence.begin_s);
    }
    activity.away_s += std::max(0.0, away_s);
  }
  activity.idle_s = std::max(0.0, run_.end_s - activity.busy_s - activity.away_s);
}

// Each node once, whatever the events say of parents.
void ActivityReader::AppendSubtree(const NodeId& top) {
  std::vector<std::pair<NodeId, int>> todo = {{top, 0}};
  while (!todo.empty()) {
    const auto [id, depth] = std::move(todo.back());
    todo.pop_back();
    auto node = nodes_.extract(id);
    if (node.empty()) continue;
    node.mapped().activity.depth = depth;
    run_.nodes.push_back(std::move(node.mapped().activity));
    const std::vector<NodeId>& children = children_[id];
    for (auto it = children.rbegin(); it != children.rend(); ++it)
      todo.emplace_back(*it, depth + 1);
  }
}

}  // namespace skein::plot
