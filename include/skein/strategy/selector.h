#ifndef SKEIN_STRATEGY_SELECTOR_H_
#define SKEIN_STRATEGY_SELECTOR_H_

#include <cstdint>

#include <absl/status/statusor.h>

#include "skein/base/roster.h"

namespace skein {

// All that a selector may go by.
struct SelectionInput {
  uint64_t round = 0;                 // for runs without a barrier: the base version of the tasks
  uint64_t seed = 0;                  // the run's
  const Roster* available = nullptr;  // workers that are attached now; not null
  size_t num_workers = 0;             // in the topology
};

// Chooses who takes part. Deterministic in its input. Thread-compatible.
class Selector {
 public:
  virtual ~Selector() = default;
  // A subset of `available`. FailedPrecondition if there are too few.
  virtual absl::StatusOr<Roster> Select(const SelectionInput& input) = 0;
  // Whether it always takes every worker that there is.
  virtual bool SelectsEveryone() const { return false; }
  // A tree with fewer workers than this can never give it enough.
  virtual size_t MinWorkers() const { return 1; }
  // It never takes more of so many.
  virtual size_t MaxWorkers(size_t num_workers) const { return num_workers; }
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_SELECTOR_H_
