#ifndef SKEIN_TESTS_UNIT_RUNTIME_AGGREGATOR_DRIVER_H_
#define SKEIN_TESTS_UNIT_RUNTIME_AGGREGATOR_DRIVER_H_

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/barrier_core.h"
#include "skein/builtins/strategies.h"

namespace skein {

inline std::shared_ptr<const RoundPolicy> PolicyOf(const std::string& name,
                                                   const ValueMap& params = {}) {
  StrategyRegistries strategies;
  RegisterBuiltinStrategies(strategies);
  return strategies.policies.Create({name, params}).value();
}

// Node "a" with workers c0, c1, c2 (leaves 4, 5, 6), or with aggregators of two leaves each.
inline AggregatorCoreConfig ConfigOf(std::shared_ptr<const RoundPolicy> policy,
                                     NodeRole children = NodeRole::kWorker) {
  AggregatorCoreConfig config;
  config.view.id = "a";
  config.view.role = NodeRole::kAggregator;
  config.view.tier = 1;
  const LeafIndex width = children == NodeRole::kWorker ? 1 : 2;
  for (LeafIndex i = 0; i < 3; ++i) {
    const LeafIndex begin = 4 + i * width;
    config.view.children.push_back({"c" + std::to_string(i), children, begin, begin + width});
  }
  config.policy = std::move(policy);
  config.staging_bytes = 100;
  config.upload_stall_timeout = std::chrono::seconds(30);
  return config;
}

inline Task TrainTask(uint64_t round = 1) {
  Task task;
  task.round = round;
  task.base = {round - 1, 0, 0};
  task.seq_first = 10 * round;
  task.participants = Roster::Range(0, 20);
  return task;
}

inline Task EvaluateTask(uint64_t round = 1) {
  Task task = TrainTask(round);
  task.kind = TaskKind::kEvaluate;
  task.seq_first = 0;
  return task;
}

// Tells a core what happens and keeps what it answers.
template <typename Core>
class CoreDriver {
 public:
  using Actions = std::vector<AggregatorAction>;

  explicit CoreDriver(AggregatorCoreConfig config) : config_(std::move(config)), core(config_) {}

  const Actions& Tell(const AggregatorEvent& event) {
    last = core.Handle(event, now);
    for (const auto& wake : Of<agg_action::WakeAt>()) timers.insert(wake.when);
    return last;
  }
  // Time passes, and the core is woken when it asked to be.
  void AdvanceTo(Time to) {
    while (!timers.empty() && *timers.begin() <= to && timers.size() < kTooManyTimers) {
      now = std::max(now, *timers.begin());
      timers.erase(timers.begin());
      Tell(agg_event::Tick{});
    }
    now = to;
  }
  // Actions of one kind among the last.
  template <typename Action>
  std::vector<Action> Of() const {
    std::vector<Action> found;
    for (const AggregatorAction& action : last) {
      if (const auto* a = std::get_if<Action>(&action)) found.push_back(*a);
    }
    return found;
  }
  template <typename Action>
  bool Has() const {
    return !Of<Action>().empty();
  }

  void Connect(const NodeId& child, Epoch epoch = 1) {
    Tell(agg_event::ChildExpected{child, epoch});
    Tell(agg_event::ChildUp{child, epoch});
  }
  // All children linked, the base model here, the task open.
  void Open(const Task& task = TrainTask()) {
    for (const NodeView::Child& child : config_.view.children) Connect(child.id);
    Tell(agg_event::ModelArrived{task.base});
    Tell(agg_event::TaskArrived{task});
  }

  // A good upload of the child for the task.
  UploadInfo UploadOf(const NodeId& child, const Task& task = TrainTask(), uint64_t transfer = 1,
                      Epoch epoch = 1) const {
    for (const NodeView::Child& view : config_.view.children) {
      if (view.id != child) continue;
      const bool worker = view.role == NodeRole::kWorker;
      return {.id = {child, epoch, transfer},
              .kind = worker ? TransferKind::kUpdate : TransferKind::kPartial,
              .round = task.round,
              .local_round = task.local_round,
              .base = task.base,
              .seq = task.seq_first,
              .num_samples = 8,
              .updates = view.leaf_end - view.leaf_begin,
              .roster = Roster::Range(view.leaf_begin, view.leaf_end),
              .bytes = 40,
              .form = absl::OkStatus()};
    }
    return {};
  }
  // Offered, granted, received and folded.
  const Actions& Contribute(const UploadInfo& info) {
    Tell(agg_event::UploadOffered{info});
    Tell(agg_event::UploadStaged{info.id});
    return Tell(agg_event::UploadFolded{info.id, absl::OkStatus()});
  }
  const Actions& Contribute(const NodeId& child) { return Contribute(UploadOf(child)); }
  const Actions& Fail(const NodeId& child, const std::string& why, const Task& task = TrainTask()) {
    return Tell(agg_event::ChildFailed{
        child, {task.kind, task.round, task.local_round, why, /*bad_update=*/false}});
  }

  // "update_accepted c0" for each of the last reports.
  std::vector<std::string> Reported() const {
    std::vector<std::string> reported;
    for (const auto& report : Of<agg_action::Report>()) {
      reported.push_back(report.event.type + " " + report.event.node);
    }
    return reported;
  }
  // The `task_s` of the last reports; -1 if one says nothing of it.
  std::vector<double> TaskTimes() const {
    std::vector<double> times;
    for (const auto& report : Of<agg_action::Report>()) {
      const auto it = report.event.fields.find("task_s");
      times.push_back(it == report.event.fields.end() ? -1 : *it->second.AsDouble());
    }
    return times;
  }
  std::string ReasonOfReport(size_t i = 0) const {
    return *Of<agg_action::Report>().at(i).event.fields.at("reason").AsString();
  }

 private:
  static constexpr size_t kTooManyTimers = 1000;
  const AggregatorCoreConfig config_;

 public:
  Core core;
  Time now{0};
  Actions last;
  std::multiset<Time> timers;  // that a shell would have set
};
using AggregatorDriver = CoreDriver<BarrierCore>;

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_RUNTIME_AGGREGATOR_DRIVER_H_
