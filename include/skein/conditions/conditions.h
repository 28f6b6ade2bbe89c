#ifndef SKEIN_CONDITIONS_CONDITIONS_H_
#define SKEIN_CONDITIONS_CONDITIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/value.h"

namespace skein {

// What a federation lives in, as the spec's `conditions` say: how quick workers are, what links
// carry, who is there. `skein simulate` computes with it; `skein run` makes it so, by waiting. All
// that is random in it is drawn from the run's seed, see conditions_model.h.

struct ComputeConditions {
  double task_s = 0;             // a training task of a typical worker; 0: as long as it takes
  double evaluate_s = 0;         // an evaluation by it
  double spread = 0;             // of speeds: sigma of a lognormal factor of median 1, per worker
  double jitter = 0;             // the same, per task
  double stragglers = 0;         // share of the workers, rounded, ...
  double straggler_factor = 10;  // ... which take so many times longer
  int64_t steps = 0;             // local steps that task_s stands for; 0: whatever their number
  std::string trace;             // CSV file: worker,task,seconds; instead of all above for training
  friend bool operator==(const ComputeConditions&, const ComputeConditions&) = default;
};

// Of the links between a node and its children.
struct LinkConditions {
  int tier = 0;              // the parent's
  double mb_per_s = 0;       // of each link, each way, in 10^6 bytes; 0: unlimited
  double node_mb_per_s = 0;  // of all links of the parent together, each way; 0: unlimited
  double latency_s = 0;      // one way
  double loss = 0;           // share of packets
  double frame_s = 0;        // the parent's time for each frame, whatever its size
  friend bool operator==(const LinkConditions&, const LinkConditions&) = default;
};

// Of each worker, by itself. Failures and days may both be given.
struct AvailabilityConditions {
  double up_s = 0;      // mean time for which it stays; 0: for good
  double down_s = 0;    // mean time for which it is away then; 0: it does not come back
  double period_s = 0;  // of a day; 0: none
  double share = 1;     // of the day that it is there, from an hour of its own on
  std::string trace;    // CSV file: worker,from_s,to_s, when each is there; instead of all above
  friend bool operator==(const AvailabilityConditions&, const AvailabilityConditions&) = default;
};

struct Conditions {
  ComputeConditions compute;
  std::vector<LinkConditions> links;  // one a tier at most
  AvailabilityConditions availability;
  double model_mb = 0;  // what a model counts as on links, in 10^6 bytes; 0: what it is
  friend bool operator==(const Conditions&, const Conditions&) = default;
};

// From plain values, as they stand in a spec, and back. InvalidArgument names the key: unknown
// (with the nearest known one), of a wrong type, out of range, a tier twice.
absl::StatusOr<Conditions> ConditionsFromValues(const ValueMap& values);
// Empty if all is as by default.
ValueMap ToValues(const Conditions& conditions);

}  // namespace skein

#endif  // SKEIN_CONDITIONS_CONDITIONS_H_
