#ifndef SKEIN_SRC_STRATEGY_HELD_HOLDING_FOLD_H_
#define SKEIN_SRC_STRATEGY_HELD_HOLDING_FOLD_H_

#include <functional>
#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "skein/strategy/fold.h"
#include "strategy/held/held_updates.h"
#include "strategy/passes/pass_conductor.h"

namespace skein {

// What distinguishes one fold that holds all contributions from another.
struct HoldingRule {
  std::string name;  // for messages
  // With fewer the round fails, and the message gives the reason: "2f + 3 with f = 1".
  int min_contributions = 1;
  std::string why;
  // Whether samples weigh: then they are bounded, as a linear fold's weights are.
  bool weighs_samples = false;
  // See Fold: whether it matters from where contributions are told.
  bool needs_changes = false;
  // The model after `base`, of as many contributions as are needed.
  std::function<absl::StatusOr<PackedTensors>(const HeldUpdates& updates, const PackedTensors& base,
                                              ServerOptimizer& optimizer, BufferPool& buffers)>
      finish;
  // How the same is found in passes over a tree; null if it cannot be.
  MakePassConductor conduct = nullptr;

  // FailedPrecondition, with the reason, for fewer than it needs.
  absl::Status CheckEnough(size_t contributions) const;
  // InvalidArgument where samples weigh and there are more than the plan allows so many updates.
  absl::Status CheckSamples(uint64_t samples, uint64_t updates, const NumericPlan& plan) const;
  Fixed128 WeightOf(uint64_t samples) const;
};

// A fold of Composition::kNone. Its contributions are updates, and subtrees that report as one:
// such a partial carries one contribution (lone_partial.h), and a partial of more is refused.
std::shared_ptr<const Fold> MakeHoldingFold(HoldingRule rule, HoldLimits limits);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_HELD_HOLDING_FOLD_H_
