#ifndef SKEIN_SRC_TENSOR_MAPPED_FILE_H_
#define SKEIN_SRC_TENSOR_MAPPED_FILE_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <absl/status/statusor.h>

namespace skein {

// A read-only mapping of a whole file, which may be replaced or removed meanwhile but must not be
// cut short in place. Any thread.
class MappedFile {
 public:
  // NotFound; InvalidArgument for what is no regular file; other errors of the system. All name the
  // path.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(const std::string& path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}

  const std::span<const std::byte> bytes_;
};

}  // namespace skein

#endif  // SKEIN_SRC_TENSOR_MAPPED_FILE_H_
