#ifndef SKEIN_DATA_RAW_H_
#define SKEIN_DATA_RAW_H_

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// A file that is the elements of one tensor and nothing else, little-endian and row-major, as
// numpy's tofile() writes it. The file is mapped, not read: it must not be cut short meanwhile.
// The first size of `shape` may be -1: as many as the file has. The result has one tensor, "data".
// NotFound; InvalidArgument with path and both sizes where the file has another size.
absl::StatusOr<PackedTensors> ReadRaw(const std::string& path, DType dtype,
                                      std::vector<int64_t> shape);

}  // namespace skein

#endif  // SKEIN_DATA_RAW_H_
