#ifndef SKEIN_OBSERVE_ROUND_TRACKER_H_
#define SKEIN_OBSERVE_ROUND_TRACKER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "skein/observe/event.h"

namespace skein {

// Bytes at the aggregating nodes of one tier.
struct TierTraffic {
  uint64_t up = 0;    // received from their children
  uint64_t down = 0;  // sent to their children
  friend bool operator==(const TierTraffic&, const TierTraffic&) = default;
};

// The list of {tier, up, down} in an event's field `bytes`, by tier.
std::vector<TierTraffic> TrafficOf(const Event& event);

// A round as its events tell it.
struct RoundSummary {
  uint64_t round = 0;
  uint64_t participants = 0;
  uint64_t arrived = 0;  // updates known to be accepted so far, while the round is open
  uint64_t rejected = 0;
  uint64_t left_out = 0;
  bool committed = false;
  // From the commit on:
  uint64_t contributors = 0;
  uint64_t samples = 0;
  double wall_s = 0;
  std::string digest;
  std::vector<TierTraffic> bytes;
  std::map<std::string, double> training;    // means of the workers' training metrics
  std::map<std::string, double> evaluation;  // the coordinator's, else the workers'

  // From the evaluation; if there was none, nothing.
  std::optional<double> Evaluated(const std::string& metric) const;
};

// Follows the events of a run and tells when a round is complete, evaluation included: that is when
// the next one opens or the run ends. Not thread-safe.
class RoundTracker {
 public:
  // The committed round that this event concludes, if it does.
  std::optional<RoundSummary> OnEvent(const Event& event);

  // The round that is under way; `round` is 0 before the first.
  const RoundSummary& current() const { return current_; }

 private:
  std::optional<RoundSummary> Conclude();

  RoundSummary current_;
  NodeId coordinator_;
  uint64_t direct_ = 0;    // updates accepted by their parents
  uint64_t partials_ = 0;  // updates in partials accepted by the coordinator
  bool evaluated_by_coordinator_ = false;
};

}  // namespace skein

#endif  // SKEIN_OBSERVE_ROUND_TRACKER_H_
