#include "skein/tensor/packed_tensors.h"

#include <algorithm>
#include <bit>
#include <new>

namespace skein {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the packed form is little-endian and is read in place");

constexpr std::align_val_t kAlignment{64};

// Never null, also for no bytes at all, so that a span over it differs from the null span.
std::shared_ptr<std::byte> AllocateBlock(uint64_t bytes) {
  void* block = ::operator new(std::max<uint64_t>(bytes, 1), kAlignment);
  return {static_cast<std::byte*>(block),
          [](std::byte* memory) { ::operator delete(memory, kAlignment); }};
}

}  // namespace

PackedTensors::PackedTensors(Manifest manifest)
    : manifest_(std::make_shared<const Manifest>(std::move(manifest))) {
  Hold(AllocateBlock(manifest_->total_bytes()));
}

PackedTensors::PackedTensors(Manifest manifest, BufferPool& pool)
    : manifest_(std::make_shared<const Manifest>(std::move(manifest))) {
  Hold(pool.Take(manifest_->total_bytes()));
}

void PackedTensors::Hold(std::shared_ptr<std::byte> block) {
  bytes_ = {block.get(), manifest_->total_bytes()};
  owner_ = std::move(block);
  writable_ = true;
}

PackedTensors::PackedTensors(Manifest manifest, std::span<const std::byte> bytes,
                             std::shared_ptr<const void> owner)
    : manifest_(std::make_shared<const Manifest>(std::move(manifest))),
      owner_(std::move(owner)),
      bytes_(bytes) {}

std::span<std::byte> PackedTensors::mutable_bytes() {
  if (!writable_ || owner_.use_count() != 1) return {};
  // The block was allocated by this class as writable memory.
  return {const_cast<std::byte*>(bytes_.data()), bytes_.size()};
}

std::span<std::byte> PackedTensors::mutable_tensor(size_t i) {
  const std::span<std::byte> block = mutable_bytes();
  if (block.data() == nullptr) return {};
  return block.subspan(manifest_->offset(i), (*manifest_)[i].NumBytes());
}

}  // namespace skein
