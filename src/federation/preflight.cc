#include "federation/preflight.h"

#include "runtime/initial_model.h"
#include "skein/runtime/learner.h"

namespace skein {

absl::Status Preflight(const RunSpec& spec, const Registries& registries) {
  return MakeInitialModel(MakeLearnerTrainerFactory(registries.learners), spec.config,
                          MakeNodeView(spec.topology, 0))
      .status();
}

}  // namespace skein
