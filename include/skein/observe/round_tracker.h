#ifndef SKEIN_OBSERVE_ROUND_TRACKER_H_
#define SKEIN_OBSERVE_ROUND_TRACKER_H_

#include <cstdint>
#include <deque>
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
  uint64_t updates = 0;  // without a barrier; a worker may have made several
  std::vector<TierTraffic> bytes;
  std::map<std::string, double> training;    // means of the workers' training metrics
  std::map<std::string, double> evaluation;  // the coordinator's, else the workers'

  // From the evaluation; if there was none, nothing.
  std::optional<double> Evaluated(const std::string& metric) const;
};

// Follows the events of a run and tells when a round is complete, evaluation included: that is when
// the next one opens or the run ends. Without a barrier rounds are versions; one that is evaluated
// is complete when it has been, and the ones after it are not told of before. Not thread-safe.
class RoundTracker {
 public:
  // The committed rounds that this event concludes, in order.
  std::vector<RoundSummary> OnEvent(const Event& event);

  // The round that is under way; `round` is 0 before the first.
  const RoundSummary& current() const { return current_; }
  // What an evaluation says that came after its round was concluded, as when a rule ends a run
  // while the next round is open. Empty if there was none.
  const std::map<std::string, double>& late_evaluation() const { return late_evaluation_; }
  // The run has no barrier at its root, so far as is known: rounds are versions.
  bool has_versions() const { return has_versions_; }

 private:
  struct Version {
    RoundSummary summary;
    bool awaits_evaluation = false;
  };
  std::vector<RoundSummary> Conclude();
  std::vector<RoundSummary> ConcludeVersions(bool all);
  void OnVersion(const Event& event);
  void OnCommitted(const Event& event);
  static void OnEvaluated(const Event& event, RoundSummary& round);
  void OnLateEvaluation(const Event& event);

  RoundSummary current_;
  NodeId coordinator_;
  uint64_t direct_ = 0;    // updates accepted by their parents
  uint64_t partials_ = 0;  // updates in partials accepted by the coordinator
  bool evaluated_by_coordinator_ = false;
  std::deque<Version> versions_;  // that are not concluded
  bool has_versions_ = false;     // the run has no barrier
  std::map<std::string, double> late_evaluation_;
  bool late_by_coordinator_ = false;
};

}  // namespace skein

#endif  // SKEIN_OBSERVE_ROUND_TRACKER_H_
