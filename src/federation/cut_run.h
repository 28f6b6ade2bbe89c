#ifndef SKEIN_SRC_FEDERATION_CUT_RUN_H_
#define SKEIN_SRC_FEDERATION_CUT_RUN_H_

#include <string>

#include <absl/status/statusor.h>

#include "federation/recorded_result.h"

namespace skein {

// Concludes the record of a run whose control plane was killed while it was under way, as "failed"
// for `reason`: with the rounds that the store in its directory has as committed. Writes
// result.json. Errors: those of RunStore, and of files.
absl::StatusOr<RecordedResult> ConcludeCutRun(const std::string& directory,
                                              const std::string& run_id, const std::string& reason);

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_CUT_RUN_H_
