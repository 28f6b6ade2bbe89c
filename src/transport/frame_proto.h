#ifndef SKEIN_TRANSPORT_FRAME_PROTO_H_
#define SKEIN_TRANSPORT_FRAME_PROTO_H_

#include <absl/status/statusor.h>

#include "skein/transport/frame.h"
#include "skein/v1/data_plane.pb.h"

namespace skein {

// The wire form of a frame. The payload of a chunk is copied. Texts are made fit for the wire (see
// WireText); everything else is written as it is, and the receiver checks it.
v1::Frame FrameToProto(const Frame& frame);

// The frame, once everything in it is within bounds; otherwise InvalidArgument that names the kind
// of frame and the trouble. The payload of a chunk is moved out of `proto`, not copied, and owned
// by the frame.
absl::StatusOr<Frame> FrameFromProto(v1::Frame proto);

}  // namespace skein

#endif  // SKEIN_TRANSPORT_FRAME_PROTO_H_
