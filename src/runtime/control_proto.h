#ifndef SKEIN_SRC_RUNTIME_CONTROL_PROTO_H_
#define SKEIN_SRC_RUNTIME_CONTROL_PROTO_H_

#include <cstdint>

#include <absl/status/statusor.h>

#include "skein/runtime/control_link.h"
#include "skein/v1/control.pb.h"

namespace skein {

// Version of the control protocol, told when a node registers.
inline constexpr uint32_t kControlProtocol = 1;

// The messages of control.proto from and to ours. What comes from the wire is hostile until
// FromProto has accepted it: InvalidArgument says which field of which message is wrong,
// FailedPrecondition that the other side speaks another version of the protocol.
v1::NodeMessage ToProto(const NodeMessage& message);
absl::StatusOr<NodeMessage> FromProto(const v1::NodeMessage& proto);

v1::ControlMessage ToProto(const ControlMessage& message);
absl::StatusOr<ControlMessage> FromProto(const v1::ControlMessage& proto);

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_CONTROL_PROTO_H_
