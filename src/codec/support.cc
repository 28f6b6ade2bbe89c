#include "codec/support.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

namespace skein {
namespace {

enum Form : uint8_t { kGaps = 0, kBitmap = 1 };

uint64_t BitmapBytes(uint64_t n) { return (n + 7) / 8; }

absl::Status Bad(const std::string& why) {
  return absl::InvalidArgumentError("its positions " + why);
}

absl::StatusOr<std::vector<uint32_t>> ReadGaps(uint64_t n, uint64_t count, ByteReader& in) {
  if (count > in.rest().size()) return Bad("are cut short");
  std::vector<uint32_t> positions;
  positions.reserve(count);
  uint64_t next = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const auto gap = in.Varint();
    if (!gap) return Bad("are cut short or no numbers");
    if (next >= n || *gap >= n - next) return Bad("go beyond its end");
    positions.push_back(static_cast<uint32_t>(next + *gap));
    next += *gap + 1;
  }
  return positions;
}

absl::StatusOr<std::vector<uint32_t>> ReadBitmap(uint64_t n, uint64_t count, ByteReader& in) {
  const auto bitmap = in.Bytes(BitmapBytes(n));
  if (!bitmap) return Bad("are cut short");
  uint64_t there = 0;
  for (const std::byte byte : *bitmap) there += std::popcount(static_cast<uint8_t>(byte));
  if (there != count) {
    return Bad("are " + std::to_string(there) + ", not " + std::to_string(count));
  }
  if (n % 8 != 0 && static_cast<uint8_t>(bitmap->back()) >> (n % 8) != 0) {
    return Bad("go beyond its end");
  }
  std::vector<uint32_t> positions;
  positions.reserve(count);
  for (size_t at = 0; at < bitmap->size(); ++at) {
    for (auto bits = static_cast<uint8_t>((*bitmap)[at]); bits != 0; bits &= bits - 1) {
      positions.push_back(static_cast<uint32_t>(8 * at + std::countr_zero(bits)));
    }
  }
  return positions;
}

}  // namespace

uint64_t MaxSupportBytes(uint64_t n, uint64_t kept) {
  return VarintBytes(kept) + 1 + std::min(BitmapBytes(n), kept * VarintBytes(n));
}

void WriteSupport(uint64_t n, std::span<const uint32_t> positions, ByteWriter& out) {
  uint64_t gaps = 0;
  uint64_t next = 0;
  for (const uint32_t position : positions) {
    gaps += VarintBytes(position - next);
    next = uint64_t{position} + 1;
  }
  out.Varint(positions.size());
  if (gaps <= BitmapBytes(n)) {
    out.Byte(kGaps);
    next = 0;
    for (const uint32_t position : positions) {
      out.Varint(position - next);
      next = uint64_t{position} + 1;
    }
    return;
  }
  out.Byte(kBitmap);
  const std::span<std::byte> bitmap = out.Take(BitmapBytes(n));
  std::memset(bitmap.data(), 0, bitmap.size());
  for (const uint32_t position : positions) {
    bitmap[position / 8] |= std::byte{1} << (position % 8);
  }
}

absl::StatusOr<std::vector<uint32_t>> ReadSupport(uint64_t n, uint64_t kept, ByteReader& in) {
  const auto count = in.Varint();
  const auto form = in.Byte();
  if (!count || !form) return Bad("are cut short");
  if (*count > kept) {
    return Bad("are " + std::to_string(*count) + ", at most " + std::to_string(kept) + " are sent");
  }
  if (*form == kGaps) return ReadGaps(n, *count, in);
  if (*form == kBitmap) return ReadBitmap(n, *count, in);
  return Bad("have the unknown form " + std::to_string(*form));
}

}  // namespace skein
