// Files as ReadSafetensors may meet them. The input is the file.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "fuzz/memory_meter.h"
#include "fuzz/require.h"
#include "skein/base/status.h"
#include "skein/tensor/digest.h"
#include "skein/tensor/safetensors.h"
#include "tensor/safetensors_header.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace skein {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr size_t kMemoryPerByte = 32;
constexpr size_t kMemoryForAny = size_t{64} << 10;

// A file without a place on any disk.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& bytes) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (fd_ < 0 || ::write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      std::abort();
    }
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  const int fd_;
};

absl::StatusOr<PackedTensors> Read(const std::string& file) {
  const MemoryFile memory(file);
  const MemoryMeter meter;
  absl::StatusOr<PackedTensors> tensors = ReadSafetensors(memory.path());
  Require(meter.peak() <= kMemoryForAny + kMemoryPerByte * file.size(),
          "memory for a file is bounded by its size");
  if (!tensors.ok()) {
    Require(absl::IsInvalidArgument(tensors.status()), "a bad file is InvalidArgument");
    Require(Message(tensors.status()).rfind(memory.path(), 0) == 0, "an error names the file");
  }
  return tensors;
}

// The header by itself, in a block of its own, so that a read beyond it is seen.
void CheckHeader(const std::string& file, const absl::StatusOr<PackedTensors>& read) {
  uint64_t length = 0;
  if (file.size() < kLengthBytes) return;
  std::memcpy(&length, file.data(), kLengthBytes);
  if (length > file.size() - kLengthBytes) {
    // Told by its length alone: what lies behind the file is not looked at.
    const std::string why = Message(read.status());
    Require(why.find("truncated in the header") != why.npos || why.find(": header of ") != why.npos,
            "a header beyond the file is refused for that");
    return;
  }
  const std::unique_ptr<char[]> json(new char[length]);
  std::memcpy(json.get(), file.data() + kLengthBytes, length);
  const absl::StatusOr<Manifest> manifest =
      ParseSafetensorsHeader({json.get(), length}, file.size() - kLengthBytes - length);
  Require(manifest.ok() == read.ok(), "a header is as good as its file");
  if (manifest.ok()) Require(*manifest == read->manifest(), "a header is that of its file");
}

void CheckTensors(const PackedTensors& tensors) {
  const std::span<const std::byte> bytes = tensors.bytes();
  Require(bytes.size() == tensors.manifest().total_bytes(), "the data has the size of the tensors");
  std::string canonical = SafetensorsHeader(tensors.manifest());
  Require(canonical.size() % kLengthBytes == 0, "the data of a canonical file is aligned");
  canonical.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const absl::StatusOr<PackedTensors> again = Read(canonical);
  Require(again.ok(), "what is read and written can be read");
  Require(again->manifest() == tensors.manifest() && std::ranges::equal(again->bytes(), bytes),
          "what is read and written is the same");
  Require(ModelDigest(*again) == ModelDigest(tensors), "equal tensors have equal digests");
}

// How long the header of `file` is if it ends with the last brace and the spaces after it.
uint64_t HeaderLength(std::span<const uint8_t> file) {
  const auto json = file.subspan(kLengthBytes);
  size_t end = json.size();
  while (end > 0 && json[end - 1] != '}') --end;
  while (end < json.size() && json[end] == ' ') ++end;
  return end;
}

}  // namespace
}  // namespace skein

// Most changes to a header would only make its length wrong, which most times is put right here.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (size >= skein::kLengthBytes && seed % 8 != 0) {
    const uint64_t length = skein::HeaderLength({data, size});
    std::memcpy(data, &length, skein::kLengthBytes);
  }
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string file(reinterpret_cast<const char*>(data), size);
  const auto tensors = skein::Read(file);
  skein::CheckHeader(file, tensors);
  if (tensors.ok()) skein::CheckTensors(*tensors);
  return 0;
}
