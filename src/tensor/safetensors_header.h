#ifndef SKEIN_SRC_TENSOR_SAFETENSORS_HEADER_H_
#define SKEIN_SRC_TENSOR_SAFETENSORS_HEADER_H_

#include <cstdint>
#include <string_view>

#include <absl/status/statusor.h>

#include "skein/tensor/manifest.h"

namespace skein {

// The limit of the format's reference implementation.
inline constexpr uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;

// Parses the JSON header of a safetensors file whose data section has `data_bytes` bytes, and
// checks that the tensors tile it: the offsets follow one another without gap or overlap, fit type
// and shape, and end where the data ends. The manifest is ordered by offset; `__metadata__` is
// checked and dropped. Made for hostile input: no recursion, memory bounded by the header's size.
// InvalidArgument says what is wrong, with the position for a syntax error.
absl::StatusOr<Manifest> ParseSafetensorsHeader(std::string_view json, uint64_t data_bytes);

}  // namespace skein

#endif  // SKEIN_SRC_TENSOR_SAFETENSORS_HEADER_H_
