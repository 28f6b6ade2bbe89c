#ifndef SKEIN_SRC_CONDITIONS_TRACE_H_
#define SKEIN_SRC_CONDITIONS_TRACE_H_

#include <map>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/ids.h"
#include "skein/conditions/conditions_model.h"

namespace skein {

// Seconds of each task, by worker.
using TaskTraces = std::map<NodeId, std::vector<double>>;

// Reads lines of "worker,task,seconds" after a header of these names; tasks of a worker are 0, 1,
// 2,
// ... in this order, without a gap. `name` begins messages, which have the line:
// "trace.csv:7: ...". InvalidArgument.
absl::StatusOr<TaskTraces> ParseTaskTraces(const std::string& text, const std::string& name);
// Also NotFound, and other errors of reading a file.
absl::StatusOr<TaskTraces> ReadTaskTraces(const std::string& path);

// When workers are there, in order of time.
using PresenceTraces = std::map<NodeId, std::vector<Presence>>;

// Reads lines of "worker,from_s,to_s" after a header of these names, those of a worker one after
// another in time, at most touching. `to_s` may be inf. Otherwise as above.
absl::StatusOr<PresenceTraces> ParsePresenceTraces(const std::string& text,
                                                   const std::string& name);
absl::StatusOr<PresenceTraces> ReadPresenceTraces(const std::string& path);

}  // namespace skein

#endif  // SKEIN_SRC_CONDITIONS_TRACE_H_
