#ifndef SKEIN_OBSERVE_STREAM_PACE_H_
#define SKEIN_OBSERVE_STREAM_PACE_H_

#include <cstdint>
#include <map>
#include <optional>

#include "skein/observe/event.h"

namespace skein {

// A stretch of a run without a barrier at the root.
struct Pace {
  double seconds = 0;
  uint64_t updates = 0;  // in the versions that were made
  double staleness_sum = 0;
  uint64_t staleness_max = 0;
  // Time of workers with and without a task, as far as reports tell of it: a worker's time is known
  // up to its last report.
  double busy_s = 0;
  double idle_s = 0;

  double UpdatesPerSecond() const;     // 0 if no time has passed
  double MeanStaleness() const;        // 0 without updates
  std::optional<double> Idle() const;  // the share; nothing if no worker has reported
};

// Follows the events of a run without a barrier at the root and tells how fast it goes: updates
// that count, how stale they were when they did, and whether workers wait for tasks. O(workers)
// memory. Not thread-safe.
class StreamPace {
 public:
  void OnEvent(const Event& event);

  // Since the last call, or the first round's opening, until `now_s` of the run's clock.
  Pace Take(double now_s);
  // Of the whole run so far; its time goes until the last version.
  const Pace& total() const { return total_; }

 private:
  void OnVersion(const Event& event);
  void OnWorkersReport(const Event& event);

  std::map<NodeId, double> known_until_;  // of each worker's time
  std::optional<double> started_s_;
  double taken_s_ = 0;
  Pace since_;
  Pace total_;
};

}  // namespace skein

#endif  // SKEIN_OBSERVE_STREAM_PACE_H_
