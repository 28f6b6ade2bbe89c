#include "strategy/multi_krum/multi_krum.h"

#include <algorithm>

#include "strategy/krum/krum_fold.h"

namespace skein {

// The mean of the m contributions whose scores are the lowest (Blanchard et al. 2017, section 5):
// unweighted, as in the paper. The paper lets m go up to n; beyond n - f it could not but take
// faulty ones.
absl::Status RegisterMultiKrum(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "multi-krum",
       .summary = "mean of the m updates that are nearest to the others; holds all of them, beyond "
                  "memory_mb in a file",
       .source = "Blanchard et al. 2017, arXiv 1703.02757",
       .schema = HoldingSchema({FaultyParam(),
                                {.name = "m",
                                 .type = ParamSpec::Type::kInt,
                                 .min = 1,
                                 .max = 1e6,
                                 .doc = "updates that the mean is of; n - f - 2 unless set"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        const int64_t f = params.Int("f");
        const int64_t m = params.IntOr("m", 1);
        const bool by_f = 2 * f + 3 >= m + f;
        HoldingRule names{
            .name = "multi-krum",
            .min_contributions = static_cast<int>(std::max(2 * f + 3, m + f)),
            .why = (by_f ? "2f + 3 with " : "m + f with m = " + std::to_string(m) + " and ") +
                   ("f = " + std::to_string(f)),
            .finish = nullptr};
        const auto selected = [f, m, all = !params.Has("m")](size_t n) {
          return all ? n - static_cast<size_t>(f) - 2 : static_cast<size_t>(m);
        };
        return MakeKrumFold(std::move(names), static_cast<size_t>(f), selected,
                            HoldLimitsOf(params));
      });
}

}  // namespace skein
