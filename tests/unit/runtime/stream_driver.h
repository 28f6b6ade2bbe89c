#ifndef SKEIN_TESTS_UNIT_RUNTIME_STREAM_DRIVER_H_
#define SKEIN_TESTS_UNIT_RUNTIME_STREAM_DRIVER_H_

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/stream_core.h"
#include "unit/runtime/aggregator_driver.h"

namespace skein {

class FixedStaleness : public Staleness {
 public:
  double Weight(uint64_t staleness) const override { return 1 / (1.0 + staleness); }
  uint64_t Max() const override { return 3; }
};

inline AggregatorCoreConfig StreamConfig(const std::string& policy, const ValueMap& params,
                                         int tier, NodeRole children = NodeRole::kWorker) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf(policy, params), children);
  config.view.tier = tier;
  config.staging_bytes = 1000;
  config.staleness = std::make_shared<FixedStaleness>();
  return config;
}

// A coordinator that makes versions, as its shell does: at once.
class StreamRoot : public CoreDriver<StreamCore> {
 public:
  explicit StreamRoot(const std::string& policy = "buffered",
                      const ValueMap& params = {{"size", 2}}, NodeRole children = NodeRole::kWorker)
      : StreamRoot(StreamConfig(policy, params, 0, children)) {}
  explicit StreamRoot(AggregatorCoreConfig config) : CoreDriver(std::move(config)) {}

  // Time passes, and the core is woken when it asked to be.
  void At(Time to) {
    while (!timers.empty() && *timers.begin() <= to) {
      now = std::max(now, *timers.begin());
      timers.erase(timers.begin());
      TellAll(agg_event::Tick{});
    }
    now = to;
  }
  void Begin(uint64_t last_version = 100) {
    for (const char* child : {"c0", "c1", "c2"}) Connect(child);
    Tell(agg_event::ModelArrived{VersionRef{}});
    TellAll(agg_event::TaskArrived{TrainTask(), last_version});
  }
  // The event, and what the shell makes of a step; keeps the tasks and all that was done.
  void TellAll(const AggregatorEvent& event) {
    std::vector<AggregatorAction> done;
    std::deque<AggregatorEvent> events = {event};
    while (!events.empty()) {
      Tell(events.front());
      events.pop_front();
      for (const AggregatorAction& action : last) {
        done.push_back(action);
        if (const auto* close = std::get_if<agg_action::CloseFold>(&action)) {
          steps.push_back(*close);
          events.push_back(agg_event::ModelArrived{close->made});
          events.push_back(agg_event::Delivered{});
        } else if (const auto* send = std::get_if<agg_action::SendTask>(&action)) {
          tasks[send->child] = send->task;
        } else if (const auto* abandon = std::get_if<agg_action::Abandon>(&action)) {
          given_up.push_back(abandon->reason);
        }
      }
      if (events.empty() && !timers.empty() && *timers.begin() <= now) {
        timers.erase(timers.begin());
        events.push_back(agg_event::Tick{});
      }
    }
    last = std::move(done);
  }
  UploadInfo Answer(const NodeId& child) const {
    UploadInfo info = UploadOf(child, tasks.at(child), tasks.at(child).seq_first);
    return info;
  }
  void Contribute(const NodeId& child) { Contribute(Answer(child)); }
  void Contribute(const UploadInfo& info) {
    Tell(agg_event::UploadOffered{info});
    Tell(agg_event::UploadStaged{info.id});
    TellAll(agg_event::UploadFolded{info.id, absl::OkStatus()});
  }

  std::map<NodeId, Task> tasks;
  std::vector<agg_action::CloseFold> steps;
  std::vector<std::string> given_up;  // why
};

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_RUNTIME_STREAM_DRIVER_H_
