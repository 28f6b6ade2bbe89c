#ifndef SKEIN_SRC_LEARNERS_TENSOR_FILE_H_
#define SKEIN_SRC_LEARNERS_TENSOR_FILE_H_

#include <string>

#include <ATen/core/Tensor.h>
#include <absl/status/statusor.h>

namespace skein {

// Tensors in files as users name them, FILE or FILE:WHAT:
//   data.csv                    all columns; data.csv:COLUMN: one, by name or number
//   data.safetensors:NAME, data.pt:NAME    a tensor; without NAME "x", or "y" for labels
//   data.bin:F32[100,28,28]     a flat file of this type and shape; [?,28,28]: as many as there are
//   anything else               IDX, compressed or not
struct TensorRef {
  std::string path;
  std::string what;  // empty: not said
};

// Where several colons could part the two, the first that leaves a file that is there.
TensorRef ParseTensorRef(const std::string& text);

// `text` with size and time of the file that it names: another, if the file was written anew.
std::string FileStamp(const std::string& text);

bool IsSafetensors(const TensorRef& ref);

// Every kind but CSV. `otherwise` is the tensor's name where `ref` names none. Nobody may write to
// the result, which may be a mapping of the file.
absl::StatusOr<at::Tensor> ReadTensor(const TensorRef& ref, const std::string& otherwise);

}  // namespace skein

#endif  // SKEIN_SRC_LEARNERS_TENSOR_FILE_H_
