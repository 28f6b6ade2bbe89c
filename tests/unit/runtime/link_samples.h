#ifndef SKEIN_TESTS_UNIT_RUNTIME_LINK_SAMPLES_H_
#define SKEIN_TESTS_UNIT_RUNTIME_LINK_SAMPLES_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "skein/tensor/chunk_codec.h"
#include "skein/tensor/digest.h"
#include "skein/transport/transport.h"

namespace skein {

// One tensor of `size` bytes whose content is a function of the seed.
inline PackedTensors SampleTensors(uint64_t size, uint64_t seed = 1) {
  PackedTensors tensors(*Manifest::Create(
      {{"w", DType::kUint8, {static_cast<int64_t>(size)}, TensorRole::kParameter}}));
  Rng rng(seed);
  for (std::byte& b : tensors.mutable_bytes()) b = static_cast<std::byte>(rng.Next());
  return tensors;
}

inline bool SameBytes(const PackedTensors& a, const PackedTensors& b) {
  return a.has_value() && b.has_value() && a.manifest() == b.manifest() &&
         std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end());
}

inline ChunkFrame ChunkOf(uint64_t transfer, const PackedTensors& tensors, uint64_t offset,
                          uint64_t size) {
  const auto bytes = tensors.bytes().subspan(offset, size);
  return {transfer, offset, Checksum(bytes), bytes, tensors.owner()};
}

inline ChunkFrame DamagedChunkOf(uint64_t transfer, const PackedTensors& tensors, uint64_t offset,
                                 uint64_t size) {
  ChunkFrame chunk = ChunkOf(transfer, tensors, offset, size);
  chunk.checksum ^= 1;
  return chunk;
}

// One end of a link that the test works by hand.
class Peer : public LinkHandler {
 public:
  void OnFrame(Frame frame) override {
    EXPECT_FALSE(closed.has_value());
    frames.push_back(std::move(frame));
    if (on_frame) on_frame(frames.back());
  }
  void OnWritable() override {}
  void OnClosed(absl::Status status) override {
    EXPECT_FALSE(closed.has_value());
    closed = std::move(status);
  }

  template <typename T>
  std::vector<T> All() const {
    std::vector<T> found;
    for (const Frame& frame : frames) {
      if (const auto* f = std::get_if<T>(&frame)) found.push_back(*f);
    }
    return found;
  }
  template <typename T>
  T Last() const {
    const std::vector<T> found = All<T>();
    EXPECT_FALSE(found.empty());
    return found.empty() ? T{} : found.back();
  }

  std::shared_ptr<Link> link;
  std::vector<Frame> frames;
  std::function<void(const Frame&)> on_frame;
  std::optional<absl::Status> closed;
};

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_RUNTIME_LINK_SAMPLES_H_
