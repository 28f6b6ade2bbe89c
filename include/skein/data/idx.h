#ifndef SKEIN_DATA_IDX_H_
#define SKEIN_DATA_IDX_H_

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

namespace skein {

// The content of an IDX file (the format of MNIST and Fashion-MNIST) of unsigned bytes.
struct IdxData {
  std::vector<uint32_t> shape;  // {60000, 28, 28} for images, {60000} for labels
  std::vector<uint8_t> bytes;   // row-major
};

// Reads a gzip-compressed or plain IDX file. NotFound; InvalidArgument with path and reason for a
// wrong magic, another element type, a truncated or overlong file, absurd dimensions.
absl::StatusOr<IdxData> ReadIdx(const std::string& path);

}  // namespace skein

#endif  // SKEIN_DATA_IDX_H_
