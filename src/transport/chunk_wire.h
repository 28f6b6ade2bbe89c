#ifndef SKEIN_SRC_TRANSPORT_CHUNK_WIRE_H_
#define SKEIN_SRC_TRANSPORT_CHUNK_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "skein/transport/frame.h"

namespace skein {

// Chunks as protobuf by hand, so that a payload is neither copied into a message when it is sent
// nor out of one when it arrives. The bytes are those of v1.Frame; any protobuf library reads them.

// What precedes the payload of a chunk on the wire. The payload is the last field.
std::string ChunkPrefix(const ChunkFrame& chunk);

// A chunk in received memory.
struct WireChunk {
  uint64_t transfer = 0;
  uint64_t offset = 0;
  uint64_t checksum = 0;
  std::vector<std::span<const std::byte>> payload;  // within the pieces that were parsed
  size_t payload_bytes = 0;
};

// Reads a message that lies in `pieces`, one after another. No value if it is not a chunk and
// nothing else, or is written in a way that only a protobuf library should judge (unknown or
// repeated fields, broken encoding).
std::optional<WireChunk> ParseChunk(std::span<const std::span<const std::byte>> pieces);

}  // namespace skein

#endif  // SKEIN_SRC_TRANSPORT_CHUNK_WIRE_H_
