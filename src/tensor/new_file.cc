#include "tensor/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace skein {
namespace {

constexpr uint64_t kDirectFrom = uint64_t{16} << 20;  // smaller files are not worth it
// What direct writes come in, and where their memory lies: enough for all file systems.
constexpr std::align_val_t kAlignment{4096};
constexpr size_t kGather = size_t{4} << 20;

absl::Status WriteError(const std::string& path, const char* action) {
  const absl::Status status = SystemError(path, action);
  return absl::IsNotFound(status) ? absl::UnavailableError(status.message()) : status;
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

}  // namespace

void NewFile::AlignedDelete::operator()(std::byte* memory) const {
  ::operator delete[](memory, kAlignment);
}

absl::StatusOr<std::unique_ptr<NewFile>> NewFile::Create(const std::string& path, uint64_t size) {
  struct stat there = {};
  if (::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    return absl::InvalidArgumentError(path +
                                      ": there is something that is no regular file, which a new "
                                      "file would replace; give another name");
  }
  auto [fd, temporary] = CreateTemporary(path);
  if (fd < 0) return WriteError(path, "create a file beside it");
  std::unique_ptr<NewFile> file(new NewFile(path, std::move(temporary), fd));
  if (size >= kDirectFrom) file->TryDirect();
  return file;
}

NewFile::NewFile(std::string path, std::string temporary, int fd)
    : path_(std::move(path)), temporary_(std::move(temporary)), file_(fd) {}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

absl::Status NewFile::Append(std::span<const std::byte> bytes) {
  if (gathered_ == nullptr) {
    return WriteAll(bytes) ? absl::OkStatus() : WriteError(path_, "write");
  }
  while (!bytes.empty()) {
    const size_t taken = std::min(bytes.size(), kGather - gathered_bytes_);
    std::memcpy(gathered_.get() + gathered_bytes_, bytes.data(), taken);
    gathered_bytes_ += taken;
    bytes = bytes.subspan(taken);
    if (gathered_bytes_ == kGather && !Flush()) return WriteError(path_, "write");
  }
  return absl::OkStatus();
}

absl::Status NewFile::Commit() {
  // The rest is of no even size.
  const bool written = (gathered_ == nullptr || (MakeBuffered() && Flush())) &&
                       ::fsync(file_.get()) == 0 && file_.Close() == 0 &&
                       ::rename(temporary_.c_str(), path_.c_str()) == 0;
  if (!written) return WriteError(path_, "write");
  temporary_.clear();
  if (!SyncDirectoryOf(path_)) return WriteError(path_, "sync the directory of");
  return absl::OkStatus();
}

void NewFile::TryDirect() {
  const int flags = ::fcntl(file_.get(), F_GETFL);
  if (flags < 0 || ::fcntl(file_.get(), F_SETFL, flags | O_DIRECT) != 0) return;
  direct_ = true;
  gathered_.reset(new (kAlignment) std::byte[kGather]);
}

bool NewFile::Flush() {
  const std::span<const std::byte> bytes(gathered_.get(), std::exchange(gathered_bytes_, 0));
  return WriteAll(bytes);
}

bool NewFile::MakeBuffered() {
  direct_ = false;
  const int flags = ::fcntl(file_.get(), F_GETFL);
  return flags >= 0 && ::fcntl(file_.get(), F_SETFL, flags & ~O_DIRECT) == 0;
}

bool NewFile::WriteAll(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    // Linux writes at most 2 GiB at once; smaller steps answer signals sooner.
    const size_t step = std::min(bytes.size(), size_t{1} << 26);
    const ssize_t written = ::write(file_.get(), bytes.data(), step);
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(written));
    } else if (errno == EINVAL && direct_) {
      // The file system promised more than it can, or a write ended at an odd place.
      if (!MakeBuffered()) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

absl::Status ReplaceFile(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return WriteError(to, "write");
  if (!SyncDirectoryOf(to)) return WriteError(to, "sync the directory of");
  return absl::OkStatus();
}

}  // namespace skein
