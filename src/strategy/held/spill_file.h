#ifndef SKEIN_SRC_STRATEGY_HELD_SPILL_FILE_H_
#define SKEIN_SRC_STRATEGY_HELD_SPILL_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "tensor/file_descriptor.h"

namespace skein {

// Where what has no room in memory waits: a file without a name, gone with its last user or with
// the process, however that ends. It is written by system calls, so that a full disk is an error
// and no signal, and read through a mapping. Any thread may write; ranges are the callers' own.
class SpillFile {
 public:
  static std::string UsualDirectory();  // for large temporary files: $TMPDIR or /var/tmp
  // Empty directory: the usual one.
  static absl::StatusOr<std::unique_ptr<SpillFile>> Create(const std::string& directory);

  // Takes the disk space of [offset, offset + bytes), where the file system can. ResourceExhausted
  // if there is not so much; the rest of the file is as it was.
  absl::Status Reserve(uint64_t offset, uint64_t bytes);
  absl::Status Write(uint64_t offset, std::span<const std::byte> bytes);

  // A read-only view of the file's first bytes.
  class Mapping {
   public:
    Mapping(const std::byte* data, uint64_t size) : data_(data), size_(size) {}
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping();
    std::span<const std::byte> bytes() const { return {data_, size_}; }
    // Lets go of the memory of whole pages in the range; they come from the file if read again.
    void Release(uint64_t offset, uint64_t bytes) const;

   private:
    const std::byte* const data_;
    const uint64_t size_;
  };
  absl::StatusOr<std::unique_ptr<Mapping>> Map(uint64_t size) const;

  const std::string& directory() const { return directory_; }

 private:
  SpillFile(std::string directory, int fd) : directory_(std::move(directory)), file_(fd) {}
  absl::Status Error(const char* action) const;

  const std::string directory_;
  const FileDescriptor file_;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_HELD_SPILL_FILE_H_
