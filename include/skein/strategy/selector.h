#ifndef SKEIN_STRATEGY_SELECTOR_H_
#define SKEIN_STRATEGY_SELECTOR_H_

#include <cstdint>

#include <absl/status/statusor.h>

#include "skein/base/roster.h"
#include "skein/strategy/selection_history.h"
#include "skein/topology/topology.h"

namespace skein {

// All that a selector may go by.
struct SelectionInput {
  uint64_t round = 0;                 // for runs without a barrier: the base version of the tasks
  uint64_t seed = 0;                  // the run's
  const Roster* available = nullptr;  // workers that are attached now; not null
  size_t num_workers = 0;             // in the topology
  // The tree, with the attributes of its nodes; null only in tests of selectors that ignore it.
  const Topology* topology = nullptr;
  // The rounds before this one, as far as the selector Needs() them; null is like an empty one.
  const SelectionHistory* history = nullptr;

  const WorkerRecord& RecordOf(LeafIndex leaf) const;
};

// What a selector needs to know of earlier rounds.
enum class SelectionNeeds : uint8_t {
  kNothing,
  kTurns,    // who was taken when
  kReports,  // that, and what workers and their parents say of updates: WorkerReport
};

// Chooses who takes part. Deterministic in its input. Thread-compatible.
class Selector {
 public:
  virtual ~Selector() = default;
  // A subset of `available`. FailedPrecondition if there are too few.
  virtual absl::StatusOr<Roster> Select(const SelectionInput& input) = 0;
  // Whether it always takes every worker that there is.
  virtual bool SelectsEveryone() const { return false; }
  // A tree with fewer workers than this, of those that are eligible, can never give it enough.
  virtual size_t MinWorkers() const { return 1; }
  // It never takes more of so many eligible ones.
  virtual size_t MaxWorkers(size_t num_workers) const { return num_workers; }
  // With reports each round carries some 40 bytes more for each participant. What needs either
  // needs rounds: it stands under a root with a barrier only.
  virtual SelectionNeeds Needs() const { return SelectionNeeds::kNothing; }
  // How many of the tree's workers it may ever take.
  virtual size_t EligibleWorkers(const Topology& topology) const { return topology.num_workers(); }
  // Whether it can choose from such a tree. InvalidArgument, in words that follow the selector's
  // name.
  virtual absl::Status CheckTree(const Topology&) const { return absl::OkStatus(); }
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_SELECTOR_H_
