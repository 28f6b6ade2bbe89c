#include "strategy/mean/mean.h"

#include "strategy/linear/linear_fold.h"

namespace skein {

// Every update counts the same, whatever its samples.
absl::Status RegisterMean(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "mean",
       .summary = "plain mean of the updates",
       .source = "Skein",
       .schema = LinearSchema()},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        return MakeLinearFold({.weight = [](const UpdateHeader&) { return uint64_t{1}; },
                               .max_weight = [](uint64_t) { return uint64_t{1}; },
                               .options = LinearOptionsOf(params)});
      });
}

}  // namespace skein
