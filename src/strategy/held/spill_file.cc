#include "strategy/held/spill_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "skein/base/status.h"

namespace skein {
namespace {

// A file that would grow beyond the process's limit raises SIGXFSZ, whose default is the end of the
// process. Held back on this thread, what is left of it is the call's error.
class WithoutSizeSignal {
 public:
  WithoutSizeSignal() {
    sigemptyset(&signal_);
    sigaddset(&signal_, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  ~WithoutSizeSignal() {
    const int error = errno;
    if (sigismember(&before_, SIGXFSZ) == 0) {
      const timespec now = {};
      while (sigtimedwait(&signal_, nullptr, &now) == SIGXFSZ) {
      }
      pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    errno = error;
  }
  WithoutSizeSignal(const WithoutSizeSignal&) = delete;
  WithoutSizeSignal& operator=(const WithoutSizeSignal&) = delete;

 private:
  sigset_t signal_;
  sigset_t before_;
};

}  // namespace

std::string SpillFile::UsualDirectory() {
  const char* set = std::getenv("TMPDIR");
  return set != nullptr && *set != '\0' ? set : "/var/tmp";  // /tmp is often memory
}

absl::StatusOr<std::unique_ptr<SpillFile>> SpillFile::Create(const std::string& directory) {
  const std::string where = directory.empty() ? UsualDirectory() : directory;
  std::string name = where + "/skein-spill-XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  std::unique_ptr<SpillFile> file(new SpillFile(where, fd));
  if (fd < 0) return file->Error("create a file for updates");
  ::unlink(name.c_str());
  return file;
}

absl::Status SpillFile::Error(const char* action) const {
  const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
  const std::string text = Message(SystemError(directory_, action)) +
                           (full ? "; free some space, or" : ";") +
                           " set strategy.fold.spill_dir to another directory";
  return full ? absl::ResourceExhaustedError(text) : absl::UnavailableError(text);
}

absl::Status SpillFile::Reserve(uint64_t offset, uint64_t bytes) {
  if (bytes == 0) return absl::OkStatus();
  const WithoutSizeSignal guard;
  int result = 0;
  do {
    result = ::fallocate(file_.get(), 0, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  } while (result != 0 && errno == EINTR);
  // A file system that cannot finds out when it is written to.
  if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return absl::OkStatus();
  return Error("spill updates");
}

absl::Status SpillFile::Write(uint64_t offset, std::span<const std::byte> bytes) {
  const WithoutSizeSignal guard;
  while (!bytes.empty()) {
    const size_t step = std::min(bytes.size(), size_t{1} << 26);
    const ssize_t written = ::pwrite(file_.get(), bytes.data(), step, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error("spill updates");
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SpillFile::Mapping>> SpillFile::Map(uint64_t size) const {
  if (size == 0) return std::make_unique<Mapping>(nullptr, 0);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file_.get(), 0);
  if (data == MAP_FAILED) return Error("map spilled updates");
  return std::make_unique<Mapping>(static_cast<const std::byte*>(data), size);
}

SpillFile::Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void SpillFile::Mapping::Release(uint64_t offset, uint64_t bytes) const {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t begin = (offset + page - 1) / page * page;
  const uint64_t end = std::min(offset + bytes, size_) / page * page;
  if (begin >= end) return;
  ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);  // only a hint
}

}  // namespace skein
