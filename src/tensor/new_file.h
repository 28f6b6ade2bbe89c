#ifndef SKEIN_SRC_TENSOR_NEW_FILE_H_
#define SKEIN_SRC_TENSOR_NEW_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "tensor/file_descriptor.h"

namespace skein {

// A file that takes its place whole and durable, or not at all: written beside it, then renamed.
// A large one bypasses the page cache where the file system can, which would first have to find
// memory for as many bytes: four times as slow as the disk where this was measured. One thread.
// Errors are those of SystemError, but a missing directory is Unavailable: NotFound is for reading.
class NewFile {
 public:
  // For `path`, which stays as it is until Commit. `size`: bytes that will be appended, a hint.
  // InvalidArgument if something else than a regular file is there.
  static absl::StatusOr<std::unique_ptr<NewFile>> Create(const std::string& path, uint64_t size);
  // Leaves nothing behind if Commit was not called or has failed.
  ~NewFile();

  absl::Status Append(std::span<const std::byte> bytes);
  // Durable and at its path when it returns. If only the durability of the rename is in question
  // the file is in place, and that is an error all the same.
  absl::Status Commit();

 private:
  struct AlignedDelete {
    void operator()(std::byte* memory) const;
  };

  NewFile(std::string path, std::string temporary, int fd);
  void TryDirect();
  bool Flush();  // what is gathered
  bool WriteAll(std::span<const std::byte> bytes);
  bool MakeBuffered();

  const std::string path_;
  std::string temporary_;  // empty once it is in place
  FileDescriptor file_;
  bool direct_ = false;
  std::unique_ptr<std::byte[], AlignedDelete> gathered_;  // null: nothing has to be even
  size_t gathered_bytes_ = 0;
};

// Puts the file `from` in the place of `to`, durably; both are of one directory.
absl::Status ReplaceFile(const std::string& from, const std::string& to);

}  // namespace skein

#endif  // SKEIN_SRC_TENSOR_NEW_FILE_H_
