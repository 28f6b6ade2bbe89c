#include "strategy/term_ditto/term_ditto.h"

#include "skein/strategy/client_term.h"

namespace skein {

// min F(v) + lambda/2 |v - x|^2 for a model v of each worker (Li et al. 2020, Algorithm 1):
// gradient += lambda (v - x), in a second training of each task.
absl::Status RegisterDittoTerm(StrategyRegistries& registries) {
  return registries.terms.Register(
      {.name = "ditto",
       .summary =
           "trains a model of its own at each worker, which is pulled towards the global one",
       .source = "Li et al. 2020, arXiv 2012.04221",
       .schema = ParamSchema({{.name = "lambda",
                               .default_value = 0.1,
                               .min = 0,
                               .max = 1e6,
                               .doc = "strength of the pull; 0: workers learn alone"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const ClientTerm>> {
        return std::make_shared<ClientTerm>(
            ClientTerm{.pull = params.Real("lambda"), .personal = true});
      });
}

}  // namespace skein
