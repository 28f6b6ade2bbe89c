#ifndef SKEIN_TRANSPORT_FRAME_LIMITS_H_
#define SKEIN_TRANSPORT_FRAME_LIMITS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include <absl/status/status.h>

#include "skein/topology/topology.h"
#include "skein/transport/frame.h"

namespace skein {

// What a peer may make us hold. Everything beyond is refused before memory is taken for it.

inline constexpr size_t kMaxFrameBytes = size_t{16} << 20;     // one encoded frame
inline constexpr size_t kMaxUnfoldedBytes = size_t{96} << 20;  // what protobuf makes of a frame
inline constexpr size_t kMaxChunkBytes = size_t{4} << 20;      // payload of one chunk
inline constexpr size_t kMaxNodeIdBytes = Topology::kMaxIdBytes;
inline constexpr size_t kMaxRunIdBytes = 512;
inline constexpr size_t kMaxTextBytes = 8192;  // reasons and messages
inline constexpr size_t kMaxMetrics = 1024;    // metrics or scalars of one message
inline constexpr size_t kMaxMetricNameBytes = 256;
inline constexpr uint32_t kMaxLeaves = static_cast<uint32_t>(Topology::kMaxNodes);

// OK if a frame of this encoded size may be sent; a link that is asked to send another one closes
// with the error (ResourceExhausted), since the receiver would refuse it.
inline absl::Status CheckFrameSize(const Frame& frame, size_t encoded_size) {
  const auto* chunk = std::get_if<ChunkFrame>(&frame);
  const size_t size = chunk == nullptr ? encoded_size : chunk->bytes.size();
  const size_t limit = chunk == nullptr ? kMaxFrameBytes : kMaxChunkBytes;
  if (size <= limit) return absl::OkStatus();
  return absl::ResourceExhaustedError(std::string("a frame '") + NameOf(frame) + "' of " +
                                      std::to_string(size) + " bytes is above the limit of " +
                                      std::to_string(limit));
}

}  // namespace skein

#endif  // SKEIN_TRANSPORT_FRAME_LIMITS_H_
