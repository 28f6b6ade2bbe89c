#include "skein/observe/stream_pace.h"

#include <algorithm>
#include <utility>

#include "observe/event_fields.h"

namespace skein {

double Pace::UpdatesPerSecond() const {
  return seconds > 0 ? static_cast<double>(updates) / seconds : 0;
}

double Pace::MeanStaleness() const {
  return updates > 0 ? staleness_sum / static_cast<double>(updates) : 0;
}

std::optional<double> Pace::Idle() const {
  if (busy_s + idle_s <= 0) return std::nullopt;
  return idle_s / (busy_s + idle_s);
}

void StreamPace::OnEvent(const Event& event) {
  if (event.type == event::kNodeStarted) {
    // Also one that comes back: its absence counts as neither.
    if (TextField(event.fields, "role") == "worker") known_until_[event.node] = event.time_s;
  } else if (event.type == event::kRoundOpened) {
    if (started_s_) return;
    started_s_ = taken_s_ = event.time_s;
    for (auto& [worker, until] : known_until_) until = event.time_s;
  } else if (event.type == event::kVersionCommitted) {
    OnVersion(event);
  } else if (event.type == event::kUpdateAccepted || event.type == event::kUpdateRejected ||
             event.type == event::kWorkerLeftOut) {
    OnWorkersReport(event);
  }
}

void StreamPace::OnVersion(const Event& event) {
  const auto it = event.fields.find("bases");
  const ValueList* bases = it == event.fields.end() ? nullptr : it->second.AsList();
  if (bases != nullptr) {
    for (const Value& item : *bases) {
      const ValueMap* base = item.AsMap();
      if (base == nullptr) continue;
      // It went into the version before this one.
      const uint64_t newest = event.round - std::min<uint64_t>(event.round, 1);
      const uint64_t staleness = newest - std::min(newest, CountField(*base, "version"));
      const uint64_t updates = CountField(*base, "updates");
      for (Pace* pace : {&since_, &total_}) {
        pace->staleness_sum += static_cast<double>(staleness) * static_cast<double>(updates);
        pace->staleness_max = std::max(pace->staleness_max, staleness);
      }
    }
  }
  for (Pace* pace : {&since_, &total_}) pace->updates += CountField(event.fields, "updates");
  total_.seconds = event.time_s - started_s_.value_or(0);
}

void StreamPace::OnWorkersReport(const Event& event) {
  const auto worker = known_until_.find(event.node);
  const std::optional<double> task_s = NumberField(event.fields, "task_s");
  if (worker == known_until_.end() || !task_s || !started_s_) return;
  const double until = std::exchange(worker->second, std::max(worker->second, event.time_s));
  const double asked = std::clamp(event.time_s - *task_s, until, worker->second);
  for (Pace* pace : {&since_, &total_}) {
    pace->idle_s += asked - until;
    pace->busy_s += worker->second - asked;
  }
}

Pace StreamPace::Take(double now_s) {
  Pace pace = std::exchange(since_, {});
  pace.seconds = now_s - std::exchange(taken_s_, now_s);
  return pace;
}

}  // namespace skein
