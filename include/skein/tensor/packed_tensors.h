#ifndef SKEIN_TENSOR_PACKED_TENSORS_H_
#define SKEIN_TENSOR_PACKED_TENSORS_H_

#include <cstddef>
#include <memory>
#include <span>

#include "skein/tensor/buffer_pool.h"
#include "skein/tensor/manifest.h"

namespace skein {

// Tensors as bytes: a manifest and one contiguous block that holds them little-endian, row-major,
// one after another without gaps, which is just the data section of a safetensors file. This is
// what travels, what is folded and what is stored; libtorch is not needed to hold it. A tensor may
// lie unaligned when a narrower one precedes it, so elements are read with memcpy.
//
// Copies share the block. A block is written only while one holder has it (`mutable_bytes`), after
// that it is read-only and may be read by any thread.
class PackedTensors {
 public:
  PackedTensors() = default;
  // A fresh block, 64-byte aligned, of unspecified content. The caller bounds the size.
  explicit PackedTensors(Manifest manifest);
  // The same with a block of the pool.
  PackedTensors(Manifest manifest, BufferPool& pool);
  // Over memory owned by `owner` (a mapped file); bytes.size() must be manifest.total_bytes().
  PackedTensors(Manifest manifest, std::span<const std::byte> bytes,
                std::shared_ptr<const void> owner);

  const Manifest& manifest() const { return *manifest_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  std::span<const std::byte> tensor(size_t i) const {
    return bytes_.subspan(manifest_->offset(i), (*manifest_)[i].NumBytes());
  }
  // Null span if the block is foreign or shared with another holder.
  std::span<std::byte> mutable_bytes();
  std::span<std::byte> mutable_tensor(size_t i);
  // Keeps the block alive; what a frame that refers to it holds on to.
  std::shared_ptr<const void> owner() const { return owner_; }
  bool has_value() const { return manifest_ != nullptr; }

 private:
  void Hold(std::shared_ptr<std::byte> block);  // as the writable block

  std::shared_ptr<const Manifest> manifest_;
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
  bool writable_ = false;
};

}  // namespace skein

#endif  // SKEIN_TENSOR_PACKED_TENSORS_H_
