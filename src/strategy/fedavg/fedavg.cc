#include "strategy/fedavg/fedavg.h"

#include "strategy/linear/linear_fold.h"

namespace skein {

// x' = x + sum n_i (y_i - x) / sum n_i over the participants (McMahan et al. 2017, Algorithm 1).
absl::Status RegisterFedAvg(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "fedavg",
       .summary = "mean of the updates, weighted by their samples",
       .source = "McMahan et al. 2017, arXiv 1602.05629",
       .schema = LinearSchema()},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        return MakeLinearFold({.weight = [](const UpdateHeader& h) { return h.num_samples; },
                               .max_weight = [](uint64_t max_samples) { return max_samples; },
                               .options = LinearOptionsOf(params)});
      });
}

}  // namespace skein
