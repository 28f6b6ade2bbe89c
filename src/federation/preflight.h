#ifndef SKEIN_SRC_FEDERATION_PREFLIGHT_H_
#define SKEIN_SRC_FEDERATION_PREFLIGHT_H_

#include <absl/status/status.h>

#include "skein/federation/run_spec.h"

namespace skein {

// Makes the coordinator's learner and the initial model, as the run will, and lets go of them: data
// files that are missing or damaged, an `init` file that does not fit and what the folds need of
// this machine are found before anything is created. For runs whose nodes are on this machine.
// Errors are the learner's, the file's or the fold's.
absl::Status Preflight(const RunSpec& spec, const Registries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_PREFLIGHT_H_
