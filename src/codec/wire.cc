#include "codec/wire.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace skein {

size_t VarintBytes(uint64_t value) {
  size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}

std::span<std::byte> ByteWriter::Take(size_t count) {
  if (count > out_.size() - size_) {
    std::fprintf(stderr, "skein: a codec writes more than it said\n");
    std::abort();
  }
  const std::span<std::byte> taken = out_.subspan(size_, count);
  size_ += count;
  return taken;
}

void ByteWriter::Byte(uint8_t value) { Take(1)[0] = std::byte{value}; }

void ByteWriter::Varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) Byte(static_cast<uint8_t>(value | 0x80));
  Byte(static_cast<uint8_t>(value));
}

void ByteWriter::Word(uint64_t value) { Bytes(std::as_bytes(std::span(&value, 1))); }

void ByteWriter::Bytes(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  std::memcpy(Take(bytes.size()).data(), bytes.data(), bytes.size());
}

std::optional<uint8_t> ByteReader::Byte() {
  if (bytes_.empty()) return std::nullopt;
  const auto value = static_cast<uint8_t>(bytes_[0]);
  bytes_ = bytes_.subspan(1);
  return value;
}

std::optional<uint64_t> ByteReader::Varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::optional<uint8_t> byte = Byte();
    if (!byte) return std::nullopt;
    const uint64_t bits = *byte & 0x7f;
    if (shift == 63 && bits > 1) return std::nullopt;
    value |= bits << shift;
    if ((*byte & 0x80) == 0) {
      if (*byte == 0 && shift > 0) return std::nullopt;
      return value;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> ByteReader::Word() {
  const auto bytes = Bytes(sizeof(uint64_t));
  if (!bytes) return std::nullopt;
  uint64_t value = 0;
  std::memcpy(&value, bytes->data(), sizeof(value));
  return value;
}

std::optional<std::span<const std::byte>> ByteReader::Bytes(uint64_t count) {
  if (count > bytes_.size()) return std::nullopt;
  const std::span<const std::byte> taken = bytes_.first(count);
  bytes_ = bytes_.subspan(count);
  return taken;
}

}  // namespace skein
