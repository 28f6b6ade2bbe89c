#include "transport/chunk_wire.h"

#include <algorithm>

namespace skein {
namespace {

// Field numbers and wire types of Frame.chunk and of Chunk (proto/skein/v1/data_plane.proto).
enum WireType : uint8_t { kVarint = 0, kFixed64 = 1, kLength = 2 };
constexpr uint8_t Tag(uint8_t field, WireType type) {
  return static_cast<uint8_t>(field << 3 | type);
}
constexpr uint8_t kFrameChunk = Tag(6, kLength);
constexpr uint8_t kTransfer = Tag(1, kVarint);
constexpr uint8_t kOffset = Tag(2, kVarint);
constexpr uint8_t kChecksum = Tag(3, kFixed64);
constexpr uint8_t kData = Tag(4, kLength);

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void AppendFixed64(uint64_t value, std::string& out) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift);
}

// Walks over pieces as if they were one.
class Cursor {
 public:
  explicit Cursor(std::span<const std::span<const std::byte>> pieces) : pieces_(pieces) {
    for (const auto& piece : pieces) left_ += piece.size();
  }
  size_t left() const { return left_; }

  std::optional<uint8_t> Byte() {
    if (left_ == 0) return std::nullopt;
    SkipEmpty();
    --left_;
    return static_cast<uint8_t>(pieces_[piece_][at_++]);
  }

  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = Byte();
      if (!byte) return std::nullopt;
      if (shift == 63 && *byte > 1) return std::nullopt;  // beyond 64 bits
      value |= uint64_t{*byte & 0x7Fu} << shift;
      if (*byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::optional<uint64_t> Fixed64() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 8) {
      const auto byte = Byte();
      if (!byte) return std::nullopt;
      value |= uint64_t{*byte} << shift;
    }
    return value;
  }

  // The next `size` bytes, which must be there.
  std::vector<std::span<const std::byte>> Bytes(size_t size) {
    std::vector<std::span<const std::byte>> result;
    left_ -= size;
    while (size > 0) {
      SkipEmpty();
      const size_t part = std::min(size, pieces_[piece_].size() - at_);
      result.push_back(pieces_[piece_].subspan(at_, part));
      at_ += part;
      size -= part;
    }
    return result;
  }

 private:
  void SkipEmpty() {
    while (at_ == pieces_[piece_].size()) {
      ++piece_;
      at_ = 0;
    }
  }

  const std::span<const std::span<const std::byte>> pieces_;
  size_t piece_ = 0;
  size_t at_ = 0;
  size_t left_ = 0;
};

}  // namespace

std::string ChunkPrefix(const ChunkFrame& chunk) {
  // As protobuf writes it: fields in order, those with the default value left out.
  std::string fields;
  if (chunk.transfer != 0) {
    fields += static_cast<char>(kTransfer);
    AppendVarint(chunk.transfer, fields);
  }
  if (chunk.offset != 0) {
    fields += static_cast<char>(kOffset);
    AppendVarint(chunk.offset, fields);
  }
  if (chunk.checksum != 0) {
    fields += static_cast<char>(kChecksum);
    AppendFixed64(chunk.checksum, fields);
  }
  if (!chunk.bytes.empty()) {
    fields += static_cast<char>(kData);
    AppendVarint(chunk.bytes.size(), fields);
  }
  std::string prefix(1, static_cast<char>(kFrameChunk));
  AppendVarint(fields.size() + chunk.bytes.size(), prefix);
  return prefix + fields;
}

std::optional<WireChunk> ParseChunk(std::span<const std::span<const std::byte>> pieces) {
  Cursor cursor(pieces);
  if (cursor.Byte() != kFrameChunk) return std::nullopt;
  const std::optional<uint64_t> length = cursor.Varint();
  if (length != cursor.left()) return std::nullopt;
  WireChunk chunk;
  uint8_t last = 0;
  while (cursor.left() > 0) {
    const uint8_t tag = *cursor.Byte();
    if (tag <= last) return std::nullopt;  // every library writes fields once and in order
    last = tag;
    std::optional<uint64_t> value;
    switch (tag) {
      case kTransfer:
        value = cursor.Varint();
        chunk.transfer = value.value_or(0);
        break;
      case kOffset:
        value = cursor.Varint();
        chunk.offset = value.value_or(0);
        break;
      case kChecksum:
        value = cursor.Fixed64();
        chunk.checksum = value.value_or(0);
        break;
      case kData:
        value = cursor.Varint();
        if (!value || *value > cursor.left()) return std::nullopt;
        chunk.payload_bytes = *value;
        chunk.payload = cursor.Bytes(*value);
        break;
      default:
        return std::nullopt;
    }
    if (!value) return std::nullopt;
  }
  return chunk;
}

}  // namespace skein
