#include "federation/preflight.h"

#include "runtime/initial_model.h"
#include "skein/base/status.h"
#include "skein/runtime/learner.h"
#include "skein/strategy/strategy_spec.h"

namespace skein {

absl::Status Preflight(const RunSpec& spec, const Registries& registries) {
  const int tiers = spec.topology.num_tiers();
  for (int tier = 0; tier + 1 < tiers; ++tier) {
    SKEIN_ASSIGN_OR_RETURN(const TierParts parts,
                           MakeTierParts(spec.config.strategy, tier, tiers, registries.strategies));
    SKEIN_RETURN_IF_ERROR(parts.fold->CheckMachine());
  }
  SKEIN_ASSIGN_OR_RETURN(const InitialModel start,
                         MakeInitialModel(MakeLearnerTrainerFactory(registries.learners, nullptr,
                                                                    &registries.strategies),
                                          spec.config, MakeNodeView(spec.topology, 0)));
  SKEIN_ASSIGN_OR_RETURN(const auto optimizer,
                         registries.strategies.optimizers.Create(spec.config.strategy.optimizer));
  return Annotate(optimizer->Prepare(start.model.manifest()), "strategy.optimizer");
}

}  // namespace skein
