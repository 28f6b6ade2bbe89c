#ifndef SKEIN_CONTROL_STEERING_H_
#define SKEIN_CONTROL_STEERING_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/ids.h"
#include "skein/base/roster.h"
#include "skein/observe/event.h"
#include "skein/observe/round_tracker.h"
#include "skein/strategy/strategy_spec.h"

namespace skein {

// What has come of a run since the hook was asked last, and what holds now.
struct SteeringRecord {
  enum class Moment {
    kCommitted,  // a round or version is committed
    kEvaluated,  // an evaluation is done
  };
  Moment moment = Moment::kCommitted;
  uint64_t round = 0;   // or version, without a barrier at the root
  uint64_t rounds = 0;  // that the run is to have
  double time_s = 0;    // of the run's clock, as in events
  // Committed: the means of the workers' training metrics. Evaluated: what that reports.
  std::map<std::string, double> metrics;
  uint64_t num_samples = 0;
  std::vector<TierTraffic> bytes;  // so far, by tier

  // Committed:
  double wall_s = 0;  // of the round
  Roster participants;
  Roster contributors;
  uint64_t updates = 0;       // without a barrier a worker may have made several
  double mean_staleness = 0;  // of the updates, in versions
  uint64_t max_staleness = 0;

  // Evaluated: "coordinator" or "workers".
  std::string where;

  StrategySpec strategy;  // as it is now
  bool root_has_barrier = true;
};

// What is to become of the run. Empty: it goes on as it is.
struct SteeringDecision {
  // Ends the run as completed, with this reason; nothing else counts then.
  std::optional<std::string> stop;
  // Who takes part, from the next round on; not without a barrier at the root.
  std::optional<PartSpec> selector;
  // The server optimizer from the next version on. A part without a name is the present one, with
  // these parameters changed: {"", {{"lr", 0.1}}}.
  std::optional<PartSpec> optimizer;
  // Round policies by tier of the aggregating node, from the next task of its nodes on. A tier with
  // a barrier keeps one, and one without gets none.
  TierPolicies policies;
  // Without a barrier at the root: the version from which on it holds, if that is to come. 0: the
  // next one. With a barrier it is always the next round.
  uint64_t from_version = 0;
  std::string why;  // for the record

  bool empty() const { return !stop && !selector && !optimizer && policies.empty(); }
};

// Steers a run while it is under way: written by the user, registered by name, owned by the control
// plane of one run. It is asked after each committed round or version and after each evaluation,
// one at a time on the control plane's executor, until the run is to end; it must return soon and
// may keep what it has seen. What it decides is recorded in the event `steered`, so that a replay
// can do it again. A decision that is impossible as a whole or in part (an unknown part, parameters
// out of range, a policy that needs more children than there are), an error or an exception changes
// nothing: the event `steering_refused` says why, and the run goes on.
class Steering {
 public:
  virtual ~Steering() = default;
  virtual absl::StatusOr<SteeringDecision> Decide(const SteeringRecord& record) = 0;
};

using SteeringRegistry = Registry<Steering>;

// Registers what ships: `reduce_on_plateau` and `replay`. Aborts if a name is taken.
void RegisterBuiltinSteering(SteeringRegistry& registry);

// Decides again what the events of a run say that was decided: on the same rounds, versions and
// evaluations; without a barrier, for the versions that it held from. InvalidArgument for an event
// that is none of ours.
absl::StatusOr<std::shared_ptr<Steering>> MakeReplaySteering(const std::vector<Event>& events);

// The events of `directory`/events.jsonl that a replay needs. NotFound if there is no such file,
// InvalidArgument with the line that cannot be read.
absl::StatusOr<std::vector<Event>> ReadSteeringEvents(const std::string& directory);

}  // namespace skein

#endif  // SKEIN_CONTROL_STEERING_H_
