#ifndef SKEIN_TENSOR_CHUNK_CODEC_H_
#define SKEIN_TENSOR_CHUNK_CODEC_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <absl/status/status.h>

#include "skein/tensor/digest.h"
#include "skein/tensor/packed_tensors.h"

namespace skein {

// Where tensors become bytes. A transfer sends the packed block in chunks cut at multiples of the
// chunk size; a chunk refers to the block, it is not a copy.
struct TensorChunk {
  uint64_t offset = 0;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // keeps `bytes` alive
};

inline constexpr uint64_t kDefaultChunkBytes = uint64_t{1} << 20;

// Cuts a block into chunks, from any offset (a resumed transfer). One thread.
class ChunkEncoder {
 public:
  explicit ChunkEncoder(PackedTensors tensors, uint64_t start_offset = 0,
                        uint64_t chunk_bytes = kDefaultChunkBytes);
  bool done() const { return offset_ >= tensors_.bytes().size(); }
  // Where the next chunk ends; must not be called when done().
  uint64_t next_end() const;
  // The next chunk; must not be called when done(). The first one after an odd start offset is
  // shorter, so that later ones are cut at multiples of the chunk size again.
  TensorChunk Next();

 private:
  PackedTensors tensors_;
  uint64_t offset_;
  uint64_t chunk_bytes_;
};

// Puts chunks together. Chunks arrive in order; one that does not continue the last one, is too
// long or fails its checksum is refused (DataLoss) and does not count, so that a transfer can be
// resumed at `received()`. One thread; what has been received may be read by others.
class ChunkDecoder {
 public:
  // Takes memory for the manifest's total_bytes(); the caller has bounded it.
  explicit ChunkDecoder(Manifest manifest) : ChunkDecoder(PackedTensors(std::move(manifest))) {}
  // Into a block that nobody else holds yet.
  explicit ChunkDecoder(PackedTensors block);
  absl::Status Add(uint64_t offset, std::span<const std::byte> bytes, uint64_t checksum);
  // The payload is the pieces one after another; copied and summed in one pass.
  absl::Status Add(uint64_t offset, std::span<const std::span<const std::byte>> pieces,
                   uint64_t checksum);
  const Manifest& manifest() const { return tensors_.manifest(); }
  uint64_t received() const { return received_; }
  bool done() const { return received_ == tensors_.bytes().size(); }
  // The tensors, whole when done().
  const PackedTensors& tensors() const { return tensors_; }

 private:
  PackedTensors tensors_;
  std::span<std::byte> block_;  // of tensors_
  ChecksumStream sum_;
  uint64_t received_ = 0;
};

}  // namespace skein

#endif  // SKEIN_TENSOR_CHUNK_CODEC_H_
