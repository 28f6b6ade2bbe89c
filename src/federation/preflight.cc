#include "federation/preflight.h"

#include "runtime/initial_model.h"
#include "skein/base/status.h"
#include "skein/runtime/learner.h"

namespace skein {

absl::Status Preflight(const RunSpec& spec, const Registries& registries) {
  const auto model = MakeInitialModel(MakeLearnerTrainerFactory(registries.learners), spec.config,
                                      MakeNodeView(spec.topology, 0));
  return Annotate(model.status(), "learner '" + spec.config.learner.name + "'");
}

}  // namespace skein
