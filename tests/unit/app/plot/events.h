#ifndef SKEIN_TESTS_UNIT_APP_PLOT_EVENTS_H_
#define SKEIN_TESTS_UNIT_APP_PLOT_EVENTS_H_

#include <string>
#include <utility>
#include <vector>

#include "app/plot/activity.h"
#include "skein/observe/event.h"

namespace skein::plot {

// Events as a run's log has them. The first round begins at 1 s.

inline Event Started(const std::string& node, const std::string& role, const std::string& parent,
                     double time_s = 0) {
  Event event{time_s, event::kNodeStarted, 0, node, {{"role", role}}};
  if (!parent.empty()) event.fields["parent"] = parent;
  return event;
}

inline Event Opened(double time_s, uint64_t round, int participants = 2) {
  return {time_s, event::kRoundOpened, round, "", {{"participants", participants}}};
}

// What has become of a task, `task_s` after it was given.
inline Event Report(double time_s, const char* type, const std::string& node,
                    const std::string& parent, double task_s, ValueMap more = {}) {
  more["parent"] = parent;
  more["task_s"] = task_s;
  return {time_s, type, 1, node, std::move(more)};
}

inline Event Committed(double time_s, uint64_t round, int contributors = 2) {
  return {time_s,
          event::kRoundCommitted,
          round,
          "root",
          {{"contributors", contributors},
           {"bytes", ValueList{ValueMap{{"tier", 0}, {"up", 100}, {"down", 10}},
                               ValueMap{{"tier", 1}, {"up", 400}, {"down", 40}}}}}};
}

inline Event VersionMade(double time_s, uint64_t version, int updates) {
  Event event = Committed(time_s, version);
  event.type = event::kVersionCommitted;
  event.fields["updates"] = updates;
  return event;
}

inline Event Evaluated(double time_s, uint64_t round, double accuracy,
                       const std::string& where = "coordinator") {
  return {time_s, event::kEvaluated, round, "root", {{"where", where}, {"accuracy", accuracy}}};
}

inline Event Ended(double time_s, const std::string& status = "completed") {
  return {time_s, event::kRunEnded, 0, "", {{"status", status}}};
}

// Two workers with a barrier: w0 works for 2 s of each round of 4 s, w1 all the time. A pause of 1
// s.
inline std::vector<Event> TwoRounds() {
  return {Started("root", "coordinator", ""),
          Started("w1", "worker", "root"),
          Started("w0", "worker", "root"),
          Opened(1, 1),
          Report(3, event::kUpdateAccepted, "w0", "root", 2),
          Report(5, event::kUpdateAccepted, "w1", "root", 4),
          Committed(5, 1),
          Evaluated(5.5, 1, 0.5),
          Opened(6, 2),
          Report(8, event::kUpdateAccepted, "w0", "root", 2),
          Report(10, event::kWorkerLeftOut, "w1", "root", 4),
          Committed(10, 2, 1),
          Evaluated(10.5, 2, 0.75),
          Ended(11)};
}

inline RunActivity ActivityOf(const std::vector<Event>& events) {
  ActivityReader reader;
  for (const Event& event : events) reader.OnEvent(event);
  return reader.Take().value();
}

}  // namespace skein::plot

#endif  // SKEIN_TESTS_UNIT_APP_PLOT_EVENTS_H_
