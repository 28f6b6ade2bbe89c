#ifndef SKEIN_TENSOR_SAFETENSORS_H_
#define SKEIN_TENSOR_SAFETENSORS_H_

#include <string>

#include <absl/status/statusor.h>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// Model files. Canonical form: tensors in manifest order, no `__metadata__`, compact JSON header
// padded with spaces to a multiple of 8 bytes; equal tensors give equal files.

// The header of the canonical file: 8 bytes of length, then JSON.
std::string SafetensorsHeader(const Manifest& manifest);

// Writes the canonical file atomically (temporary file beside it, fsync, rename). On error nothing
// is left behind, and a file that was there before stays. Errors: Unavailable/ResourceExhausted
// with the path and the system's reason.
absl::Status WriteSafetensors(const PackedTensors& tensors, const std::string& path);

// Maps the file; the result refers to the mapping, so the file may be replaced or removed meanwhile
// but must not be cut short in place. Tensors are ordered by their data offset, all with role
// kParameter (the format has no roles). Refused with InvalidArgument and the path: headers that are
// too long, not JSON, overlapping or non-contiguous offsets, sizes that do not fit type and shape,
// unknown types, duplicate names, truncation, trailing bytes. NotFound if there is no such file.
absl::StatusOr<PackedTensors> ReadSafetensors(const std::string& path);

}  // namespace skein

#endif  // SKEIN_TENSOR_SAFETENSORS_H_
