#ifndef SKEIN_SRC_STRATEGY_PASSES_PASS_HOLDER_H_
#define SKEIN_SRC_STRATEGY_PASSES_PASS_HOLDER_H_

#include <cstdint>
#include <optional>

#include <absl/status/statusor.h>

#include "strategy/held/held_updates.h"
#include "strategy/passes/pass_query.h"
#include "strategy/passes/rank_prefixes.h"

namespace skein {

// Answers what is asked about the contributions that a node holds. Each answer reads all of them
// once, front to back.
class PassHolder {
 public:
  // `updates` must outlive it. `workers`: leaves of the tree.
  PassHolder(const HeldUpdates& updates, uint64_t workers) : updates_(updates), workers_(workers) {}

  // Who they are of: the answer before the first question.
  absl::StatusOr<PackedTensors> Introduce(BufferPool& buffers) const;
  // InvalidArgument if the question does not follow on the last one, or is not about such updates.
  absl::StatusOr<PackedTensors> Answer(const PassQuery& query, BufferPool& buffers);

 private:
  absl::Status FollowRanks(const PassQuery& query, const PassScope& scope);
  absl::Status Count(const PassScope& scope, PackedTensors& answer) const;
  absl::Status AddBetween(const PassQuery& query, const PassScope& scope,
                          PackedTensors& answer) const;
  absl::Status AddSums(const PassQuery& query, const PassScope& scope, PackedTensors& answer) const;
  absl::Status Measure(const PassQuery& query, PackedTensors& answer, BufferPool& buffers) const;

  const HeldUpdates& updates_;
  const uint64_t workers_;
  std::optional<RankPrefixes> prefixes_;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_PASSES_PASS_HOLDER_H_
