#ifndef SKEIN_SRC_APP_PLOT_ACTIVITY_H_
#define SKEIN_SRC_APP_PLOT_ACTIVITY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/observe/event.h"

namespace skein::plot {

enum class Outcome {
  kCounted,     // the update, or partial, was accepted
  kRejected,    // it was refused
  kLeftOut,     // none came in time
  kUnfinished,  // the run was over first
};

// A task of a node, from when it was given to it until its parent was done with it. For the root: a
// round, or the making of a version. Seconds since the first round began.
struct TaskSpan {
  double begin_s = 0;
  double end_s = 0;
  Outcome outcome = Outcome::kCounted;
};

struct Absence {
  double begin_s = 0;
  double end_s = 0;
};

struct Version {
  uint64_t number = 0;
  double time_s = 0;
};

struct NodeActivity {
  NodeId id;
  NodeId parent;  // empty: none, or none known
  bool is_worker = false;
  int depth = 0;
  std::vector<TaskSpan> tasks;    // in order, none overlaps the next
  std::vector<Absence> absences;  // lost, until it came back
  double busy_s = 0;
  double away_s = 0;
  double idle_s = 0;  // neither

  size_t Count(Outcome outcome) const;
  // The share of its time in the run that it had no task; 0 if it was never there.
  double IdleShare() const;
};

// What the nodes of a run did until its last version was made (or until it ended, if it failed).
struct RunActivity {
  std::vector<NodeActivity> nodes;  // each followed by its subtree, siblings by name
  std::vector<Version> versions;    // each round that was committed, or version
  double end_s = 0;
  std::string status;  // empty: it has not ended

  double IdleShareOfWorkers() const;
};

// Makes it of events. Tasks are known by the `task_s` with which a parent reports what has become
// of one. A worker whose parent has no barrier is at work until the end, since it was asked again
// at once, though nobody reports on its last task.
class ActivityReader {
 public:
  void OnEvent(const Event& event);
  // FailedPrecondition if the events do not tell of tasks. Then this object is used up.
  absl::StatusOr<RunActivity> Take();

 private:
  struct Node {
    NodeActivity activity;
    std::optional<double> lost_s;
    bool reported_on = false;
    bool asked_again = true;  // if its parent has no barrier: since `last_s`
    double last_s = 0;
  };
  void OnNodeStarted(const Event& event, double now_s);
  void OnReport(const Event& event, double now_s);
  void OnCommitted(const Event& event, double now_s);
  void Add(Node& node, double begin_s, double end_s, Outcome outcome);
  void AddUnfinished(Node& node, bool all_take_part);
  void Finish(NodeActivity& activity) const;
  void AppendSubtree(const NodeId& top);

  std::map<NodeId, Node> nodes_;
  std::map<NodeId, std::vector<NodeId>> children_;
  std::set<NodeId> streams_;  // aggregating nodes without a barrier, as far as is known
  NodeId root_;
  std::optional<double> started_s_;
  std::optional<double> root_open_s_;
  uint64_t participants_ = 0;
  double last_s_ = 0;
  bool lacks_task_times_ = false;
  bool summarized_ = false;
  RunActivity run_;
};

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_ACTIVITY_H_
