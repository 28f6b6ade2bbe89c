#include "strategy/term_scaffold/term_scaffold.h"

#include "skein/strategy/client_term.h"

namespace skein {

// Karimireddy et al. 2019, Algorithm 1 with option II: gradient += c - c_i, and then
// c_i' = c_i - c + (x - y) / (K lr), c' = c + (1 / N) sum of (c_i' - c_i). Averages are uniform in
// the paper, which is fold `mean`; with `fedavg` both are weighted by samples, and c stays the
// weighted mean of the c_i if all workers take part.
absl::Status RegisterScaffoldTerm(StrategyRegistries& registries) {
  return registries.terms.Register(
      {.name = "scaffold",
       .summary = "corrects each step by what the worker's gradients and all workers' differ in",
       .source = "Karimireddy et al. 2019, arXiv 1910.06378",
       .schema = {}},
      [](const Params&) -> absl::StatusOr<std::shared_ptr<const ClientTerm>> {
        return std::make_shared<ClientTerm>(ClientTerm{.keeps = ClientTerm::Keeps::kMeanGradient,
                                                       .has_companion = true,
                                                       .needs_rounds = true,
                                                       .folds = {"mean", "fedavg"},
                                                       .conflicts = {"feddyn"}});
      });
}

}  // namespace skein
