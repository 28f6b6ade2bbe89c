#ifndef SKEIN_TENSOR_TENSOR_VIEWS_H_
#define SKEIN_TENSOR_TENSOR_VIEWS_H_

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// Tensors to read where they lie, each by itself, so that nothing has to be copied to look at them:
// the tensors of a StateDict, or a packed block. Holds on to their memory, which nobody may write.
class TensorViews {
 public:
  // tensors[i] are the bytes of tensor i of `manifest`, little-endian and row-major.
  TensorViews(Manifest manifest, std::vector<std::span<const std::byte>> tensors,
              std::shared_ptr<const void> owner)
      : manifest_(std::move(manifest)), tensors_(std::move(tensors)), owner_(std::move(owner)) {}
  // Implicit: packed tensors are one way to lie there.
  TensorViews(const PackedTensors& packed) : manifest_(packed.manifest()), owner_(packed.owner()) {
    for (size_t i = 0; i < manifest_.size(); ++i) tensors_.push_back(packed.tensor(i));
  }

  const Manifest& manifest() const { return manifest_; }
  std::span<const std::byte> tensor(size_t i) const { return tensors_[i]; }

 private:
  Manifest manifest_;
  std::vector<std::span<const std::byte>> tensors_;
  std::shared_ptr<const void> owner_;
};

}  // namespace skein

#endif  // SKEIN_TENSOR_TENSOR_VIEWS_H_
