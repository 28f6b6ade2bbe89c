#ifndef SKEIN_SRC_TENSOR_PICKLED_TENSORS_H_
#define SKEIN_SRC_TENSOR_PICKLED_TENSORS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/tensor/manifest.h"

namespace skein {

// Where a tensor of a PyTorch file lies: which elements of which storage.
struct PickledTensor {
  std::string name;  // its key in the dict
  std::string storage;
  uint64_t storage_elements = 0;
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // of elements
  int64_t offset = 0;
};

// The dict of tensors that a pickle of torch.save says, in its order. Dicts, ordered ones (as
// state_dict() gives) and parameters are known; all else that a pickle could make is refused, and
// nothing is executed or imported. Every element lies within its storage. InvalidArgument says what
// is there instead, without a path. Time and memory are those of the pickle's size.
absl::StatusOr<std::vector<PickledTensor>> ReadPickledTensors(std::span<const std::byte> pickle);

}  // namespace skein

#endif  // SKEIN_SRC_TENSOR_PICKLED_TENSORS_H_
