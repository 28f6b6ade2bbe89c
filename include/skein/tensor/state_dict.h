#ifndef SKEIN_TENSOR_STATE_DICT_H_
#define SKEIN_TENSOR_STATE_DICT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>
#include <absl/status/statusor.h>

#include "skein/tensor/packed_tensors.h"
#include "skein/tensor/tensor_views.h"

namespace skein {

// An ordered set of named libtorch tensors: a model as a learner sees it. Any dtype of DType, any
// shape (scalars, empty tensors), any strides. Copies share tensor storage, as at::Tensor does.
// Not thread-safe.
class StateDict {
 public:
  struct Entry {
    std::string name;
    at::Tensor tensor;
    TensorRole role = TensorRole::kParameter;
  };

  StateDict() = default;

  // Appends. InvalidArgument: duplicate name, undefined, sparse or complex tensor, a
  // tensor without data (meta device).
  absl::Status Add(std::string name, at::Tensor tensor, TensorRole role = TensorRole::kParameter);

  size_t size() const { return entries_.size(); }
  const std::vector<Entry>& entries() const { return entries_; }
  // NotFound names the tensor and the nearest name, or some of those there are.
  absl::StatusOr<at::Tensor> Get(const std::string& name) const;

  // The tensors where they lie; those that are not on the CPU and contiguous are copied.
  absl::StatusOr<TensorViews> View() const;
  // Copies into one packed block (moves to CPU, makes contiguous).
  absl::StatusOr<PackedTensors> Pack() const;
  // Tensors with memory of their own, in a block of `buffers`, so that training in place cannot
  // touch the packed block. They keep the block; none of them can be made larger.
  static StateDict Unpack(const PackedTensors& packed, BufferPool& buffers);
  static StateDict Unpack(const PackedTensors& packed);
  // The same in `block`: tensor i at UnpackedOffsets()[i], which ends with the size of all.
  static StateDict Unpack(const PackedTensors& packed, const std::shared_ptr<std::byte>& block);
  static std::vector<uint64_t> UnpackedOffsets(const Manifest& manifest);
  // Whether the tensors are those that were unpacked into `block`, each in its place and in their
  // order, and nobody else holds one of them, a view of one, or the block.
  bool HoldsAlone(const std::shared_ptr<std::byte>& block) const;

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> index_;  // by name
};

}  // namespace skein

#endif  // SKEIN_TENSOR_STATE_DICT_H_
