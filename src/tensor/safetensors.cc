#include "skein/tensor/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "skein/base/status.h"
#include "skein/base/value.h"
#include "tensor/safetensors_header.h"

namespace skein {
namespace {

constexpr uint64_t kLengthBytes = 8;

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

// What errno says about `path`.
absl::Status SystemError(const std::string& path, const char* action) {
  const int error = errno;
  const std::string message =
      path + ": cannot " + action + ": " + std::generic_category().message(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

absl::Status WriteError(const std::string& path, const char* action) {
  const absl::Status status = SystemError(path, action);
  // A missing directory; NotFound is for files to read.
  return absl::IsNotFound(status) ? absl::UnavailableError(Message(status)) : status;
}

bool WriteAll(int fd, const void* data, uint64_t size) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    // Linux writes at most 2 GiB at once; smaller steps answer signals sooner.
    const ssize_t written = ::write(fd, next, std::min<uint64_t>(size, uint64_t{1} << 26));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    next += written;
    size -= static_cast<uint64_t>(written);
  }
  return true;
}

// Makes the rename itself durable. File systems that cannot sync a directory say EINVAL.
bool SyncDirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd.get() >= 0 && (::fsync(fd.get()) == 0 || errno == EINVAL);
}

// Creates a file beside `path` of a name that nobody has; its descriptor and its name. The file
// mode is left to the umask, which mkstemp would not do.
std::pair<int, std::string> CreateTemporary(const std::string& path) {
  for (int i = 0;; ++i) {
    const std::string name = path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(i);
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST || i == 1000) return {fd, name};
  }
}

// A read-only mapping of a whole file, at least one byte long.
class Mapping {
 public:
  Mapping(void* data, uint64_t size) : data_(data), size_(size) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(data_, size_); }
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  void* data_;
  uint64_t size_;
};

absl::StatusOr<std::shared_ptr<const Mapping>> MapFile(const std::string& path) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return SystemError(path, "open");
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return SystemError(path, "stat");
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(path + ": not a regular file");
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size < kLengthBytes) {
    return absl::InvalidArgumentError(path + ": not a safetensors file: only " +
                                      std::to_string(size) + " bytes");
  }
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) return SystemError(path, "map");
  return std::make_shared<const Mapping>(data, size);
}

}  // namespace

std::string SafetensorsHeader(const Manifest& manifest) {
  std::string json = "{";
  for (size_t i = 0; i < manifest.size(); ++i) {
    const TensorInfo& info = manifest[i];
    if (i > 0) json += ',';
    json += JsonQuote(info.name) + ":{\"dtype\":\"" + NameOf(info.dtype) + "\",\"shape\":[";
    for (size_t d = 0; d < info.shape.size(); ++d) {
      if (d > 0) json += ',';
      json += std::to_string(info.shape[d]);
    }
    json += "],\"data_offsets\":[" + std::to_string(manifest.offset(i)) + ',' +
            std::to_string(manifest.offset(i) + info.NumBytes()) + "]}";
  }
  json += '}';
  json.append((kLengthBytes - json.size() % kLengthBytes) % kLengthBytes, ' ');
  const uint64_t length = json.size();
  std::string header(kLengthBytes, '\0');
  std::memcpy(header.data(), &length, kLengthBytes);  // little-endian, as asserted elsewhere
  return header + json;
}

absl::Status WriteSafetensors(const PackedTensors& tensors, const std::string& path) {
  const std::string header = SafetensorsHeader(tensors.manifest());
  if (header.size() - kLengthBytes > kMaxSafetensorsHeaderBytes) {
    return absl::ResourceExhaustedError(path + ": the names need a header of " +
                                        std::to_string(header.size()) + " bytes, the format " +
                                        "allows " + std::to_string(kMaxSafetensorsHeaderBytes));
  }
  const auto [fd, temporary] = CreateTemporary(path);
  if (fd < 0) return WriteError(path, "create a file beside it");
  FileDescriptor file(fd);
  const std::span<const std::byte> data = tensors.bytes();
  const bool written = WriteAll(file.get(), header.data(), header.size()) &&
                       WriteAll(file.get(), data.data(), data.size()) && ::fsync(file.get()) == 0 &&
                       file.Close() == 0 && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!written) {
    const absl::Status status = WriteError(path, "write");
    ::unlink(temporary.c_str());
    return status;
  }
  // From here on the new file is in place and whole; only its durability is in question.
  if (!SyncDirectoryOf(path)) return WriteError(path, "sync the directory of");
  return absl::OkStatus();
}

absl::StatusOr<PackedTensors> ReadSafetensors(const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(const std::shared_ptr<const Mapping> mapping, MapFile(path));
  const std::span<const std::byte> file = mapping->bytes();
  uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  if (length > kMaxSafetensorsHeaderBytes) {
    return absl::InvalidArgumentError(path + ": not a safetensors file: header of " +
                                      std::to_string(length) + " bytes");
  }
  if (length > file.size() - kLengthBytes) {
    return absl::InvalidArgumentError(path + ": truncated in the header, " +
                                      std::to_string(length) + " bytes long");
  }
  const std::string_view json(reinterpret_cast<const char*>(file.data()) + kLengthBytes, length);
  const std::span<const std::byte> data = file.subspan(kLengthBytes + length);
  absl::StatusOr<Manifest> manifest = ParseSafetensorsHeader(json, data.size());
  if (!manifest.ok()) return Annotate(manifest.status(), path);
  return PackedTensors(*std::move(manifest), data, mapping);
}

}  // namespace skein
