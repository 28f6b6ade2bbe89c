#ifndef SKEIN_CONTROL_STOPPING_H_
#define SKEIN_CONTROL_STOPPING_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/time.h"
#include "skein/base/value.h"
#include "skein/runtime/run_config.h"

namespace skein {

using Metrics = std::map<std::string, double>;

// A value of a metric with which a run has done what it was for.
struct StopTarget {
  std::string metric;
  bool at_least = true;  // otherwise at most
  double value = 0;
  bool training = false;  // of the workers' training; otherwise of evaluations
  friend bool operator==(const StopTarget&, const StopTarget&) = default;
};

// A metric that gets no better.
struct StopPlateau {
  std::string metric;
  uint64_t rounds = 0;   // for so many
  double min_delta = 0;  // by more than this
  bool lower_is_better = true;
  bool training = false;
  friend bool operator==(const StopPlateau&, const StopPlateau&) = default;
};

// When a run ends before its last round; the first rule that holds ends it.
struct StopRules {
  std::vector<StopTarget> targets;
  std::vector<StopPlateau> plateaus;
  double time_s = 0;    // from the first round on; 0: no limit
  double bytes_mb = 0;  // 10^6 bytes on all links, both ways; 0: no limit
  bool empty() const { return *this == StopRules{}; }
  friend bool operator==(const StopRules&, const StopRules&) = default;
};

// From plain values as they stand in a spec (a map of rules, or a list of such maps), and back.
// InvalidArgument names the key: unknown (with the nearest known one), of a wrong type, out of
// range.
absl::StatusOr<StopRules> StopRulesFromValue(const Value& value);
Value ToValue(const StopRules& rules);  // null if there is none

// InvalidArgument if a rule waits for evaluations and there are none, or if a number is out of
// range.
absl::Status CheckStopRules(const StopRules& rules, const EvaluateSpec& evaluate);

// Whether lower values of the metric are better, by its name: those of losses and errors are.
bool LowerIsBetter(const std::string& metric);

// Follows a metric: whether it has stopped getting better.
class Plateau {
 public:
  Plateau(uint64_t rounds, double min_delta, bool lower_is_better);
  // True if the last `rounds` rounds have not bettered the best value by more than `min_delta`.
  bool Stalled(uint64_t round, double value);
  // The best value so far stays; the rounds count anew.
  void Restart(uint64_t round) { best_round_ = round; }
  double best() const { return best_; }
  uint64_t best_round() const { return best_round_; }

 private:
  const uint64_t rounds_;
  const double min_delta_;
  const bool lower_is_better_;
  bool has_value_ = false;
  double best_;
  uint64_t best_round_ = 0;
};

// Says when the rules end a run. Pure: the scheduler core tells it of rounds, evaluations and time.
// Where both places evaluate, the coordinator's metrics count. Each answer is the reason for which
// the run is to end, or nothing.
class Stopping {
 public:
  using Reason = std::optional<std::string>;

  Stopping(StopRules rules, const EvaluateSpec& evaluate);

  // The first round is open: the time runs.
  void Start(Time now);
  Time deadline() const { return deadline_; }  // kNever: none, or not started
  Reason OnTime(Time now) const;
  // A round or version is committed; `bytes` is the traffic so far.
  Reason OnCommitted(uint64_t round, const Metrics& training, uint64_t bytes);
  Reason OnEvaluated(uint64_t round, const std::string& where, const Metrics& metrics);
  // What the user should hear of: rules whose metric was missing where it was due. Each once.
  std::vector<std::string> TakeWarnings();

 private:
  struct Following {
    StopPlateau rule;
    Plateau plateau;
  };
  Reason Judge(bool training, uint64_t round, const Metrics& metrics);
  const double* Find(const Metrics& metrics, const std::string& name, bool training,
                     const char* rule);

  const StopRules rules_;
  const std::string place_;  // whose evaluations count
  std::vector<Following> plateaus_;
  Time deadline_ = kNever;
  std::set<std::string> missed_;
  std::vector<std::string> warnings_;
};

}  // namespace skein

#endif  // SKEIN_CONTROL_STOPPING_H_
