#ifndef SKEIN_SRC_FEDERATION_SPEC_FIELDS_H_
#define SKEIN_SRC_FEDERATION_SPEC_FIELDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "skein/runtime/run_config.h"
#include "topology/yaml_reader.h"

namespace skein {

// The parts of a run spec that need no registry: one list of keys and bounds for its reader, its
// writer and the checks of specs that were built in code.

inline constexpr uint64_t kMaxRounds = 1'000'000'000;
inline constexpr uint64_t kMaxStagingBytes = uint64_t{1} << 50;
inline constexpr double kMaxLimitSeconds = 1e6;

// The keys under limits: that are times in seconds.
struct TimeLimit {
  const char* key;
  Duration RuntimeLimits::*field;
  double min_s;
};
const std::vector<TimeLimit>& TimeLimits();

absl::StatusOr<EvaluateSpec> ReadEvaluate(const YamlDocument& document, const YamlNode& node);
absl::StatusOr<RuntimeLimits> ReadLimits(const YamlDocument& document, const YamlNode& node);

// "none", "coordinator", "workers" or "both".
const char* NameOf(const EvaluateSpec& evaluate);

// Name, rounds, evaluation and limits are within their bounds.
absl::Status CheckFields(const RunConfig& config);

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_SPEC_FIELDS_H_
