#include "skein/tensor/chunk_codec.h"

#include <algorithm>
#include <cstring>

#include "skein/tensor/digest.h"

namespace skein {

ChunkEncoder::ChunkEncoder(PackedTensors tensors, uint64_t start_offset, uint64_t chunk_bytes)
    : tensors_(std::move(tensors)),
      offset_(start_offset),
      chunk_bytes_(std::max<uint64_t>(chunk_bytes, 1)) {}

TensorChunk ChunkEncoder::Next() {
  TensorChunk chunk;
  chunk.offset = offset_;
  const uint64_t to_boundary = chunk_bytes_ - offset_ % chunk_bytes_;
  const uint64_t size = std::min<uint64_t>(to_boundary, tensors_.bytes().size() - offset_);
  chunk.bytes = tensors_.bytes().subspan(offset_, size);
  chunk.owner = tensors_.owner();
  chunk.checksum = Checksum(chunk.bytes);
  offset_ += size;
  return chunk;
}

ChunkDecoder::ChunkDecoder(Manifest manifest) : tensors_(std::move(manifest)) {}

absl::Status ChunkDecoder::Add(uint64_t offset, std::span<const std::byte> bytes,
                               uint64_t checksum) {
  if (offset != received_) {
    return absl::DataLossError("chunk at byte " + std::to_string(offset) + ", expected byte " +
                               std::to_string(received_));
  }
  const uint64_t room = tensors_.bytes().size() - received_;
  if (bytes.empty() || bytes.size() > room) {
    return absl::DataLossError("chunk of " + std::to_string(bytes.size()) + " bytes at byte " +
                               std::to_string(offset) + ", " + std::to_string(room) +
                               " are left to receive");
  }
  if (Checksum(bytes) != checksum) {
    return absl::DataLossError("chunk at byte " + std::to_string(offset) +
                               " does not match its checksum");
  }
  std::memcpy(tensors_.mutable_bytes().data() + offset, bytes.data(), bytes.size());
  received_ += bytes.size();
  return absl::OkStatus();
}

PackedTensors ChunkDecoder::Take() { return std::move(tensors_); }

}  // namespace skein
