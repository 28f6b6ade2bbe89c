#ifndef SKEIN_SRC_FEDERATION_LEARNER_FIELDS_H_
#define SKEIN_SRC_FEDERATION_LEARNER_FIELDS_H_

#include <functional>
#include <string>

#include <absl/status/statusor.h>

#include "skein/runtime/learner.h"
#include "skein/topology/topology.h"

namespace skein {

// What a learner's schemas make of the spec's `learner: params` and `data`: checked and with
// defaults where it was registered with a schema, as they are otherwise.

// Makes a path of the spec absolute.
using PathResolver = std::function<std::string(const std::string&)>;

// Checked values, with those that are paths made absolute but for empty ones.
ValueMap WithAbsolutePaths(const Params& params, const ParamSchema& schema,
                           const PathResolver& absolute);

absl::StatusOr<ValueMap> ResolveLearnerParams(const LearnerRegistry::Entry& learner,
                                              const PartSpec& part, const PathResolver& absolute);

// Where `partition` is "subtrees", `groups` becomes the numbers of workers of the subtrees below
// the tree's tier `tier` (1 unless the data say otherwise), as "8,8,4".
absl::StatusOr<ValueMap> ResolveLearnerData(const LearnerRegistry::Entry& learner, ValueMap data,
                                            const Topology& topology, const PathResolver& absolute);

// What LearnerOptions::check_data says of resolved data.
absl::Status CheckLearnerData(const LearnerRegistry::Entry& learner, const RunConfig& config,
                              const Topology& topology);

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_LEARNER_FIELDS_H_
