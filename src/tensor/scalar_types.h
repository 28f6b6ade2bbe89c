#ifndef SKEIN_SRC_TENSOR_SCALAR_TYPES_H_
#define SKEIN_SRC_TENSOR_SCALAR_TYPES_H_

#include <optional>

#include <ATen/core/Tensor.h>

#include "skein/tensor/manifest.h"

namespace skein {

// Element types, ours and libtorch's.
at::ScalarType ScalarTypeOf(DType dtype);
// Nothing for a type that cannot travel (complex, quantized).
std::optional<DType> DTypeOf(const at::Tensor& tensor);

}  // namespace skein

#endif  // SKEIN_SRC_TENSOR_SCALAR_TYPES_H_
