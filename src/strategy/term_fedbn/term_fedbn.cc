#include "strategy/term_fedbn/term_fedbn.h"

#include <string>

#include "skein/strategy/client_term.h"

namespace skein {
namespace {

// A layer that normalizes by batches keeps running means: what stands beside one is its own.
bool IsBatchNormalization(const Manifest& model, size_t tensor) {
  const std::string& name = model[tensor].name;
  const size_t dot = name.rfind('.');
  if (dot == name.npos) return false;
  return model.Find(name.substr(0, dot) + ".running_mean").has_value();
}

}  // namespace

// All is averaged but the layers of batch normalization (Li et al. 2021, Algorithm 1).
absl::Status RegisterFedBnTerm(StrategyRegistries& registries) {
  return registries.terms.Register(
      {.name = "fedbn",
       .summary = "keeps layers of batch normalization at the worker",
       .source = "Li et al. 2021, arXiv 2102.07623"},
      [](const Params&) -> absl::StatusOr<std::shared_ptr<const ClientTerm>> {
        return std::make_shared<ClientTerm>(ClientTerm{
            .stays = IsBatchNormalization, .conflicts = {"local", "scaffold", "feddyn", "ditto"}});
      });
}

}  // namespace skein
