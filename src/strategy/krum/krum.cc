#include "strategy/krum/krum.h"

#include "strategy/krum/krum_fold.h"

namespace skein {

// The one contribution whose score is the lowest (Blanchard et al. 2017, section 4).
absl::Status RegisterKrum(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "krum",
       .summary = "the one update that is nearest to the others; holds all of them, beyond "
                  "memory_mb in a file",
       .source = "Blanchard et al. 2017, arXiv 1703.02757",
       .schema = HoldingSchema({FaultyParam()})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        const int64_t f = params.Int("f");
        HoldingRule names{.name = "krum",
                          .min_contributions = static_cast<int>(2 * f + 3),
                          .why = "2f + 3 with f = " + std::to_string(f),
                          .finish = nullptr};
        return MakeKrumFold(
            std::move(names), static_cast<size_t>(f), [](size_t) { return size_t{1}; },
            HoldLimitsOf(params));
      });
}

}  // namespace skein
