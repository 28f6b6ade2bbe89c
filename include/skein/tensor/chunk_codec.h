#ifndef SKEIN_TENSOR_CHUNK_CODEC_H_
#define SKEIN_TENSOR_CHUNK_CODEC_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <absl/status/status.h>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// Where tensors become bytes. A transfer sends the packed block in chunks cut at multiples of the
// chunk size; a chunk refers to the block, it is not a copy.
struct TensorChunk {
  uint64_t offset = 0;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // keeps `bytes` alive
  uint64_t checksum = 0;              // XXH3-64 of `bytes`
};

inline constexpr uint64_t kDefaultChunkBytes = uint64_t{1} << 20;

// Cuts a block into chunks, from any offset (a resumed transfer). One thread.
class ChunkEncoder {
 public:
  explicit ChunkEncoder(PackedTensors tensors, uint64_t start_offset = 0,
                        uint64_t chunk_bytes = kDefaultChunkBytes);
  bool done() const { return offset_ >= tensors_.bytes().size(); }
  // The next chunk; must not be called when done(). The first one after an odd start offset is
  // shorter, so that later ones are cut at multiples of the chunk size again.
  TensorChunk Next();

 private:
  PackedTensors tensors_;
  uint64_t offset_;
  uint64_t chunk_bytes_;
};

// Puts chunks together. Chunks arrive in order; one that does not continue the last one, is too
// long or fails its checksum is refused (DataLoss) and changes nothing, so that a transfer can be
// resumed at `received()`. One thread.
class ChunkDecoder {
 public:
  // Takes memory for the manifest's total_bytes(); the caller has bounded it.
  explicit ChunkDecoder(Manifest manifest);
  absl::Status Add(uint64_t offset, std::span<const std::byte> bytes, uint64_t checksum);
  const Manifest& manifest() const { return tensors_.manifest(); }
  uint64_t received() const { return received_; }
  bool done() const { return received_ == tensors_.bytes().size(); }
  // The tensors; call once, when done().
  PackedTensors Take();

 private:
  PackedTensors tensors_;
  uint64_t received_ = 0;
};

}  // namespace skein

#endif  // SKEIN_TENSOR_CHUNK_CODEC_H_
