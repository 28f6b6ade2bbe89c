#include "skein/tensor/chunk_codec.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "skein/tensor/digest.h"

namespace skein {
namespace {

// "chunk at byte 300 (tensor \"w\")", by the first tensor that the byte is of.
std::string ChunkAt(const Manifest& manifest, uint64_t offset) {
  std::string text = "chunk at byte " + std::to_string(offset);
  if (offset >= manifest.total_bytes()) return text;
  size_t tensor = 0;  // the last one that begins there or before
  for (size_t beyond = manifest.size(); beyond - tensor > 1;) {
    const size_t middle = tensor + (beyond - tensor) / 2;
    (manifest.offset(middle) <= offset ? tensor : beyond) = middle;
  }
  return text + " (tensor \"" + manifest[tensor].name + "\")";
}

}  // namespace

ChunkEncoder::ChunkEncoder(PackedTensors tensors, uint64_t start_offset, uint64_t chunk_bytes)
    : tensors_(std::move(tensors)),
      offset_(start_offset),
      chunk_bytes_(std::max<uint64_t>(chunk_bytes, 1)) {}

uint64_t ChunkEncoder::next_end() const {
  const uint64_t to_boundary = chunk_bytes_ - offset_ % chunk_bytes_;
  return offset_ + std::min<uint64_t>(to_boundary, tensors_.bytes().size() - offset_);
}

TensorChunk ChunkEncoder::Next() {
  TensorChunk chunk;
  chunk.offset = offset_;
  chunk.bytes = tensors_.bytes().subspan(offset_, next_end() - offset_);
  chunk.owner = tensors_.owner();
  offset_ += chunk.bytes.size();
  return chunk;
}

ChunkDecoder::ChunkDecoder(PackedTensors block)
    : tensors_(std::move(block)), block_(tensors_.mutable_bytes()) {}

absl::Status ChunkDecoder::Add(uint64_t offset, std::span<const std::byte> bytes,
                               uint64_t checksum) {
  return Add(offset, std::span(&bytes, 1), checksum);
}

absl::Status ChunkDecoder::Add(uint64_t offset, std::span<const std::span<const std::byte>> pieces,
                               uint64_t checksum) {
  if (offset != received_) {
    return absl::DataLossError(ChunkAt(tensors_.manifest(), offset) + ", expected byte " +
                               std::to_string(received_));
  }
  uint64_t size = 0;
  for (const auto& piece : pieces) size += piece.size();
  const uint64_t room = block_.size() - received_;
  if (size == 0 || size > room) {
    return absl::DataLossError(ChunkAt(tensors_.manifest(), offset) + " has " +
                               std::to_string(size) + " bytes, " + std::to_string(room) +
                               " are left to receive");
  }
  sum_.Reset();
  uint64_t at = received_;
  for (const auto& piece : pieces) {
    if (piece.empty()) continue;
    std::memcpy(block_.data() + at, piece.data(), piece.size());
    sum_.Update(block_.subspan(at, piece.size()));
    at += piece.size();
  }
  if (sum_.Value() != checksum) {
    return absl::DataLossError(ChunkAt(tensors_.manifest(), offset) +
                               " does not match its checksum");
  }
  received_ = at;
  return absl::OkStatus();
}

}  // namespace skein
