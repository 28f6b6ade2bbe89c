#include "skein/data/idx.h"

#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "skein/base/status.h"

namespace skein {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 32;
constexpr int kMaxDims = 8;
constexpr uint8_t kUnsignedByte = 0x08;

using GzHandle = std::unique_ptr<gzFile_s, decltype(&gzclose_r)>;

absl::Status Invalid(const std::string& message) { return absl::InvalidArgumentError(message); }

// Up to `size` bytes; fewer only at the end of the file. zlib tells of a cut or corrupt stream
// only in its error state, also when it has returned bytes.
absl::StatusOr<std::vector<uint8_t>> Read(gzFile file, uint64_t size) {
  std::vector<uint8_t> bytes;
  while (bytes.size() < size) {
    // Memory grows with what is really there, not with what the header promises.
    const size_t have = bytes.size();
    const auto step = static_cast<unsigned>(std::min<uint64_t>(size - have, uint64_t{1} << 20));
    bytes.resize(have + step);
    const int got = gzread(file, bytes.data() + have, step);
    int error = Z_OK;
    const char* reason = gzerror(file, &error);
    if (got < 0 || (error != Z_OK && error != Z_STREAM_END)) {
      if (error == Z_ERRNO) return absl::UnavailableError(reason);
      return Invalid(error == Z_BUF_ERROR ? "truncated gzip stream"
                                          : std::string("corrupt gzip stream: ") + reason);
    }
    bytes.resize(have + static_cast<size_t>(got));
    if (got == 0) break;
  }
  return bytes;
}

absl::StatusOr<IdxData> ReadOpenIdx(gzFile file) {
  SKEIN_ASSIGN_OR_RETURN(const std::vector<uint8_t> magic, Read(file, 4));
  if (magic.size() < 4 || magic[0] != 0 || magic[1] != 0) return Invalid("not an IDX file");
  if (magic[2] != kUnsignedByte) {
    return Invalid("element type " + std::to_string(magic[2]) +
                   ", only unsigned bytes (8) can be read");
  }
  const int dims = magic[3];
  if (dims < 1 || dims > kMaxDims) {
    return Invalid(std::to_string(dims) + " dimensions, 1 to " + std::to_string(kMaxDims) +
                   " can be read");
  }
  SKEIN_ASSIGN_OR_RETURN(const std::vector<uint8_t> sizes, Read(file, uint64_t{4} * dims));
  if (sizes.size() < size_t{4} * dims) return Invalid("truncated in the header");

  IdxData data;
  uint64_t total = 1;
  for (size_t i = 0; i < sizes.size(); i += 4) {
    const uint32_t extent = uint32_t{sizes[i]} << 24 | uint32_t{sizes[i + 1]} << 16 |
                            uint32_t{sizes[i + 2]} << 8 | uint32_t{sizes[i + 3]};
    if (extent == 0) return Invalid("a dimension of size 0");
    data.shape.push_back(extent);
    if (extent > kMaxBytes / total) {
      return Invalid("absurd dimensions, more than " + std::to_string(kMaxBytes) + " elements");
    }
    total *= extent;
  }
  SKEIN_ASSIGN_OR_RETURN(data.bytes, Read(file, total));
  if (data.bytes.size() < total) {
    return Invalid("truncated: " + std::to_string(data.bytes.size()) + " of " +
                   std::to_string(total) + " elements");
  }
  // Also makes zlib check the sum at the end of the stream.
  SKEIN_ASSIGN_OR_RETURN(const std::vector<uint8_t> rest, Read(file, 1));
  if (!rest.empty()) {
    return Invalid("longer than the " + std::to_string(total) + " elements of its header");
  }
  return data;
}

}  // namespace

absl::StatusOr<IdxData> ReadIdx(const std::string& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return Invalid(path + ": not a regular file");
  }
  errno = 0;
  const GzHandle file(gzopen(path.c_str(), "rb"), &gzclose_r);
  if (file == nullptr) {
    const int error = errno;
    const std::string message = path + ": " + std::generic_category().message(error);
    return error == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
  }
  gzbuffer(file.get(), 1 << 17);
  absl::StatusOr<IdxData> data = ReadOpenIdx(file.get());
  if (!data.ok()) return Annotate(data.status(), path);
  return data;
}

}  // namespace skein
