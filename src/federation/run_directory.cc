#include "federation/run_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace skein {
namespace {

namespace fs = std::filesystem;

absl::Status Exists(const std::string& path) {
  return absl::AlreadyExistsError("run directory " + path +
                                  " exists already; remove it or choose another with --out");
}

absl::Status SystemError(const std::string& what, const std::string& path, int error) {
  return absl::UnavailableError("cannot " + what + ' ' + path + ": " + std::strerror(error));
}

int WriteAll(int fd, const std::string& content) {
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = write(fd, content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    done += static_cast<size_t>(n);
  }
  return 0;
}

}  // namespace

absl::Status CheckRunDirectory(const std::string& path) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(path, error))) return Exists(path);
  return absl::OkStatus();
}

absl::Status CreateRunDirectory(const std::string& path) {
  // Without a slash at the end, which would make the last part of the path empty.
  fs::path directory = fs::path(path).lexically_normal();
  if (!directory.has_filename()) directory = directory.parent_path();
  std::error_code error;
  if (directory.has_parent_path()) fs::create_directories(directory.parent_path(), error);
  if (error) return SystemError("create", directory.parent_path().string(), error.value());
  if (!fs::create_directory(directory, error)) {
    if (error && error != std::errc::file_exists) return SystemError("create", path, error.value());
    return Exists(path);
  }
  return absl::OkStatus();
}

absl::Status WriteFileAtomically(const std::string& path, const std::string& content) {
  const std::string temporary = path + ".part";
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return SystemError("create", temporary, errno);
  int error = WriteAll(fd, content);
  if (error == 0 && fsync(fd) != 0) error = errno;
  if (close(fd) != 0 && error == 0) error = errno;
  if (error == 0 && rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return absl::OkStatus();
  unlink(temporary.c_str());
  return SystemError("write", path, error);
}

absl::Status WriteOut(const std::string& path, const std::string& content) {
  std::error_code ignored;
  const fs::file_status there = fs::symlink_status(path, ignored);
  if (!fs::exists(there) || fs::is_regular_file(there)) return WriteFileAtomically(path, content);
  const int fd = open(path.c_str(), O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return SystemError("open", path, errno);
  int error = WriteAll(fd, content);
  if (close(fd) != 0 && error == 0) error = errno;
  return error == 0 ? absl::OkStatus() : SystemError("write", path, error);
}

}  // namespace skein
