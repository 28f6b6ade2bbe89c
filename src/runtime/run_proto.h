#ifndef SKEIN_SRC_RUNTIME_RUN_PROTO_H_
#define SKEIN_SRC_RUNTIME_RUN_PROTO_H_

#include <absl/status/statusor.h>

#include "skein/runtime/run_config.h"
#include "skein/v1/run.pb.h"

namespace skein {

// The messages of run.proto from and to our values. FromProto checks what the program relies on
// (ranges, roles, lengths): InvalidArgument names the field.

v1::Part ToProto(const PartSpec& part);
PartSpec FromProto(const v1::Part& proto);

v1::RunConfig ToProto(const RunConfig& config);
absl::StatusOr<RunConfig> FromProto(const v1::RunConfig& proto);

v1::NodeView ToProto(const NodeView& view);
absl::StatusOr<NodeView> FromProto(const v1::NodeView& proto);

// Whether it is one that we know.
bool IsRole(v1::NodeRole role);

// InvalidArgument, with the field's name, if `text` is empty or longer than a node id may be.
absl::Status CheckNodeId(const std::string& text, const char* field);

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_RUN_PROTO_H_
