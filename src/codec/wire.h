#ifndef SKEIN_SRC_CODEC_WIRE_H_
#define SKEIN_SRC_CODEC_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace skein {

// Bytes of payloads; docs/strategies/codecs.md describes them. Numbers are little-endian; a varint
// is LEB128, seven bits a byte, the lowest first, as in protobuf.

inline constexpr size_t kMaxVarintBytes = 10;
size_t VarintBytes(uint64_t value);

// Fills a block from its beginning. Running over its end is a bug in a codec's bounds and aborts.
class ByteWriter {
 public:
  explicit ByteWriter(std::span<std::byte> out) : out_(out) {}

  void Byte(uint8_t value);
  void Varint(uint64_t value);
  void Word(uint64_t value);
  void Bytes(std::span<const std::byte> bytes);
  // The next `count` bytes, to be filled by the caller.
  std::span<std::byte> Take(size_t count);

  size_t size() const { return size_; }
  std::span<std::byte> rest() const { return out_.subspan(size_); }
  // Back to an earlier size.
  void Rewind(size_t size) { size_ = size; }

 private:
  std::span<std::byte> out_;
  size_t size_ = 0;
};

// Reads what anyone may have sent: nothing is returned that is not there.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::optional<uint8_t> Byte();
  // Nothing for one that does not end, has more than 64 bits or could be shorter.
  std::optional<uint64_t> Varint();
  std::optional<uint64_t> Word();
  std::optional<std::span<const std::byte>> Bytes(uint64_t count);
  std::span<const std::byte> rest() const { return bytes_; }
  bool done() const { return bytes_.empty(); }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_WIRE_H_
