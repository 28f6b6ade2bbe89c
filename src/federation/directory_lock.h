#ifndef SKEIN_SRC_FEDERATION_DIRECTORY_LOCK_H_
#define SKEIN_SRC_FEDERATION_DIRECTORY_LOCK_H_

#include <memory>
#include <string>

#include <absl/status/statusor.h>

namespace skein {

// Keeps a directory to one process at a time, from its making on until it goes or the process ends.
class DirectoryLock {
 public:
  // FailedPrecondition with the text `taken` if another process has it; Unavailable if it cannot be
  // opened or locked.
  static absl::StatusOr<std::unique_ptr<DirectoryLock>> Take(const std::string& path,
                                                             const std::string& taken);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  const int fd_;
};

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_DIRECTORY_LOCK_H_
