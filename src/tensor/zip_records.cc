#include "tensor/zip_records.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <string_view>
#include <utility>

#include "skein/base/names.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// Offsets and sizes below are those of PKWARE's APPNOTE.TXT 6.3, sections 4.3.7 to 4.3.16.
constexpr uint32_t kLocal = 0x04034b50;
constexpr uint32_t kCentral = 0x02014b50;
constexpr uint32_t kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50;
constexpr uint32_t kLocator64 = 0x07064b50;
constexpr size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56,
                 kLocator64Bytes = 20, kMaxComment = 65535;
constexpr uint64_t kElsewhere = 0xffffffff;  // the number is in the field for ZIP64
constexpr uint16_t kStored = 0, kDeflated = 8, kEncryptedFlag = 1, kZip64Field = 1;

using Span = std::span<const std::byte>;

absl::Status Damaged() { return absl::InvalidArgumentError("is damaged"); }

template <typename T>
T NumberAt(Span bytes, size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof(T));  // little-endian, as we are
  return number;
}

bool Within(Span bytes, uint64_t at, uint64_t size) {
  return at <= bytes.size() && size <= bytes.size() - at;
}

// The directory, from what stands at the file's end.
absl::StatusOr<Span> FindDirectory(Span file) {
  const absl::Status none =
      absl::InvalidArgumentError("is no zip archive, as a file of PyTorch (1.6 or later) is");
  if (file.size() < kEndBytes) return none;
  size_t end = file.size() - kEndBytes;
  const size_t least = end - std::min(end, kMaxComment);
  while (NumberAt<uint32_t>(file, end) != kEnd) {
    if (end-- == least) return none;
  }
  uint64_t size = NumberAt<uint32_t>(file, end + 12);
  uint64_t at = NumberAt<uint32_t>(file, end + 16);
  if (end >= kLocator64Bytes && NumberAt<uint32_t>(file, end - kLocator64Bytes) == kLocator64) {
    const auto end64 = NumberAt<uint64_t>(file, end - kLocator64Bytes + 8);
    if (!Within(file, end64, kEnd64Bytes) || NumberAt<uint32_t>(file, end64) != kEnd64) {
      return Damaged();
    }
    size = NumberAt<uint64_t>(file, end64 + 40);
    at = NumberAt<uint64_t>(file, end64 + 48);
  }
  if (!Within(file, at, size)) return Damaged();
  return file.subspan(at, size);
}

struct Entry {
  std::string_view name;
  uint16_t flags = 0;
  uint16_t method = 0;
  uint32_t crc = 0;
  uint64_t packed = 0;
  uint64_t size = 0;
  uint64_t header = 0;  // where the record begins
};

// Numbers that have no room in an entry, in the order in which they are there.
absl::Status ReadZip64(Span extra, Entry& entry) {
  while (extra.size() >= 4) {
    const size_t bytes = NumberAt<uint16_t>(extra, 2);
    if (!Within(extra, 4, bytes)) return Damaged();
    Span field = extra.subspan(4, bytes);
    const bool ours = NumberAt<uint16_t>(extra, 0) == kZip64Field;
    extra = extra.subspan(4 + bytes);
    if (!ours) continue;
    for (uint64_t* number : {&entry.size, &entry.packed, &entry.header}) {
      if (*number != kElsewhere) continue;
      if (field.size() < sizeof(uint64_t)) return Damaged();
      *number = NumberAt<uint64_t>(field, 0);
      field = field.subspan(sizeof(uint64_t));
    }
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

// Takes the first entry off the directory.
absl::StatusOr<Entry> TakeEntry(Span& directory) {
  if (directory.size() < kCentralBytes || NumberAt<uint32_t>(directory, 0) != kCentral) {
    return Damaged();
  }
  const size_t name = NumberAt<uint16_t>(directory, 28);
  const size_t extra = NumberAt<uint16_t>(directory, 30);
  const size_t all = kCentralBytes + name + extra + NumberAt<uint16_t>(directory, 32);
  if (all > directory.size()) return Damaged();
  Entry entry;
  entry.name = {reinterpret_cast<const char*>(directory.data()) + kCentralBytes, name};
  entry.flags = NumberAt<uint16_t>(directory, 8);
  entry.method = NumberAt<uint16_t>(directory, 10);
  entry.crc = NumberAt<uint32_t>(directory, 16);
  entry.packed = NumberAt<uint32_t>(directory, 20);
  entry.size = NumberAt<uint32_t>(directory, 24);
  entry.header = NumberAt<uint32_t>(directory, 42);
  SKEIN_RETURN_IF_ERROR(ReadZip64(directory.subspan(kCentralBytes + name, extra), entry));
  directory = directory.subspan(all);
  return entry;
}

absl::StatusOr<Span> PackedBytes(Span file, const Entry& entry) {
  if (!Within(file, entry.header, kLocalBytes) ||
      NumberAt<uint32_t>(file, entry.header) != kLocal) {
    return Damaged();
  }
  const uint64_t at = entry.header + kLocalBytes + NumberAt<uint16_t>(file, entry.header + 26) +
                      NumberAt<uint16_t>(file, entry.header + 28);
  if (!Within(file, at, entry.packed)) return Damaged();
  return file.subspan(at, entry.packed);
}

// zlib counts in 32 bits; takes as much of `bytes` as that can say.
template <typename Byte>
uInt SomeOf(std::span<Byte> bytes) {
  return static_cast<uInt>(std::min<size_t>(bytes.size(), std::numeric_limits<uInt>::max()));
}

// Fills `to`; false if `packed` is not that, or more.
bool Inflate(Span packed, std::span<std::byte> to) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return false;
  std::byte one_more{};  // room to find the end of the stream
  int code = Z_OK;
  while (code == Z_OK) {
    const uInt in = SomeOf(packed);
    const bool full = to.empty();
    const uInt out = full ? 1 : SomeOf(to);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
    stream.avail_in = in;
    stream.next_out = reinterpret_cast<Bytef*>(full ? &one_more : to.data());
    stream.avail_out = out;
    code = inflate(&stream, Z_NO_FLUSH);
    packed = packed.subspan(in - stream.avail_in);
    if (full && stream.avail_out == 0) code = Z_DATA_ERROR;
    if (!full) to = to.subspan(out - stream.avail_out);
  }
  inflateEnd(&stream);
  return code == Z_STREAM_END && to.empty();
}

uint32_t CrcOf(Span bytes) {
  uLong crc = crc32(0, nullptr, 0);
  while (!bytes.empty()) {
    const uInt some = SomeOf(bytes);
    crc = crc32(crc, reinterpret_cast<const Bytef*>(bytes.data()), some);
    bytes = bytes.subspan(some);
  }
  return static_cast<uint32_t>(crc);
}

}  // namespace

absl::StatusOr<ZipRecords> ZipRecords::Read(std::span<const std::byte> file) {
  SKEIN_ASSIGN_OR_RETURN(Span directory, FindDirectory(file));
  const uint64_t may_unfold = std::max(kAlwaysUnfolded, file.size() * kMaxGrowth);
  ZipRecords result;
  uint64_t packed = 0, unfolded = 0;
  while (!directory.empty()) {
    SKEIN_ASSIGN_OR_RETURN(const Entry entry, TakeEntry(directory));
    if (entry.name.ends_with('/')) continue;  // a directory
    const size_t slash = entry.name.find('/');
    const std::string name(slash == entry.name.npos ? entry.name : entry.name.substr(slash + 1));
    if ((entry.flags & kEncryptedFlag) != 0 ||
        (entry.method != kStored && entry.method != kDeflated)) {
      return absl::InvalidArgumentError("its record " + QuoteName(name) +
                                        " is encrypted or compressed in an unknown way");
    }
    Record record{{}, entry.size, entry.crc, entry.method == kDeflated};
    SKEIN_ASSIGN_OR_RETURN(record.packed, PackedBytes(file, entry));
    if (!record.deflated && entry.size != entry.packed) return Damaged();
    packed += entry.packed;                      // each at most the file's size, and they are few
    if (packed > file.size()) return Damaged();  // some lie on one another
    if (entry.size > may_unfold || (unfolded += entry.size) > may_unfold) {
      return absl::InvalidArgumentError("its compressed records would unfold to more than " +
                                        std::to_string(kMaxGrowth) + " times its size");
    }
    result.records_.emplace(name, record);
  }
  return result;
}

absl::StatusOr<ZipRecords::Bytes> ZipRecords::Get(const std::string& name) const {
  const auto found = records_.find(name);
  if (found == records_.end()) return absl::NotFoundError("has no record " + QuoteName(name));
  const Record& record = found->second;
  auto* memory = new (std::nothrow) std::byte[std::max<uint64_t>(record.size, 1)];
  if (memory == nullptr) {
    return absl::ResourceExhaustedError("there is no memory for the " +
                                        std::to_string(record.size) + " bytes of its record " +
                                        QuoteName(name));
  }
  Bytes bytes{std::shared_ptr<std::byte[]>(memory), record.size};
  const std::span<std::byte> to(memory, record.size);
  if (record.deflated) {
    if (!Inflate(record.packed, to)) return Damaged();
  } else {
    std::ranges::copy(record.packed, to.begin());
  }
  if (CrcOf(to) != record.crc) return Damaged();
  return bytes;
}

}  // namespace skein
