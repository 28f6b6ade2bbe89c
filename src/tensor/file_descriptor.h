#ifndef SKEIN_SRC_TENSOR_FILE_DESCRIPTOR_H_
#define SKEIN_SRC_TENSOR_FILE_DESCRIPTOR_H_

#include <unistd.h>

#include <string>
#include <utility>

#include <absl/status/status.h>

namespace skein {

// An open file, or none (-1).
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  // Closing reports delayed write errors on some file systems.
  int Close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

// What errno says about `path`: "PATH: cannot ACTION: why". NotFound if it or its directory does
// not exist, ResourceExhausted if something has run out, otherwise Unavailable.
absl::Status SystemError(const std::string& path, const char* action);

}  // namespace skein

#endif  // SKEIN_SRC_TENSOR_FILE_DESCRIPTOR_H_
