#ifndef SKEIN_SRC_TRANSPORT_GRPC_FRAME_BYTES_H_
#define SKEIN_SRC_TRANSPORT_GRPC_FRAME_BYTES_H_

#include <optional>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <grpcpp/support/byte_buffer.h>

#include "skein/transport/frame.h"
#include "transport/chunk_wire.h"

namespace skein {

// Frames as gRPC's buffers. A chunk's payload is sent from where it lies and read where it arrived;
// everything else goes through protobuf, which is what travels in either case.

// The payload of a chunk is referred to, and kept alive by its owner until it has been sent.
grpc::ByteBuffer EncodeFrame(Frame frame);
// The transport's own last frame.
grpc::ByteBuffer EncodeClose(const absl::Status& status);

// What came: a chunk, the other side's close, or another frame (or why it is none).
struct ReceivedFrame {
  std::optional<WireChunk> chunk;
  std::optional<absl::Status> close;
  absl::StatusOr<Frame> frame = absl::StatusOr<Frame>(Frame());
  size_t size = 0;                  // of the message
  std::vector<grpc::Slice> slices;  // where the chunk's payload lies

  // Makes a frame of the chunk, with a copy of its payload.
  void CopyChunk();
};
ReceivedFrame DecodeFrame(grpc::ByteBuffer& message);

}  // namespace skein

#endif  // SKEIN_SRC_TRANSPORT_GRPC_FRAME_BYTES_H_
