#include "strategy/term_fedprox/term_fedprox.h"

#include "skein/strategy/client_term.h"

namespace skein {

// min F(w) + mu/2 |w - x|^2 (Li et al. 2018, equation 2): gradient += mu (w - x).
absl::Status RegisterFedProxTerm(StrategyRegistries& registries) {
  return registries.terms.Register(
      {.name = "fedprox",
       .summary = "pulls a worker's model towards the global one that it began from",
       .source = "Li et al. 2018, arXiv 1812.06127",
       .schema = ParamSchema({{.name = "mu",
                               .default_value = 0.01,
                               .min = 0,
                               .max = 1e6,
                               .doc = "strength of the pull; 0 is FedAvg"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const ClientTerm>> {
        return std::make_shared<ClientTerm>(
            ClientTerm{.pull = params.Real("mu"), .conflicts = {"feddyn"}});
      });
}

}  // namespace skein
