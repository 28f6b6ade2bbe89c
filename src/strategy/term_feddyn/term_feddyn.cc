#include "strategy/term_feddyn/term_feddyn.h"

#include "skein/strategy/client_term.h"

namespace skein {

// Acar et al. 2021, Algorithm 1: min F(w) - <lambda, w> + alpha/2 |w - x|^2, so that
// gradient += alpha (w - x) - lambda, and then lambda' = lambda - alpha (y - x). The server's part
// is the optimizer of the same name.
absl::Status RegisterFedDynTerm(StrategyRegistries& registries) {
  return registries.terms.Register(
      {.name = "feddyn",
       .summary = "a pull, and a gradient that each worker has learned to expect; needs optimizer "
                  "feddyn",
       .source = "Acar et al. 2021, arXiv 2111.04263",
       .schema = ParamSchema({{.name = "alpha",
                               .default_value = 0.01,
                               .min = 1e-9,
                               .max = 1e6,
                               .doc = "strength of the pull"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const ClientTerm>> {
        return std::make_shared<ClientTerm>(ClientTerm{.pull = params.Real("alpha"),
                                                       .keeps = ClientTerm::Keeps::kPulledGradient,
                                                       .needs_rounds = true,
                                                       .folds = {"mean", "fedavg"},
                                                       .optimizer = "feddyn",
                                                       .conflicts = {"fedprox", "scaffold"}});
      });
}

}  // namespace skein
