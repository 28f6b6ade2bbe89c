#ifndef SKEIN_TENSOR_DIGEST_H_
#define SKEIN_TENSOR_DIGEST_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// XXH3-64, the checksum of a chunk on the wire. Against accidents, not against attackers.
uint64_t Checksum(std::span<const std::byte> bytes);

// SHA-256 of the canonical safetensors file of `tensors` in lower-case hex, so that `sha256sum
// model.safetensors` agrees with it (the roles of tensors do not enter).
std::string ModelDigest(const PackedTensors& tensors);

// XXH3-128 of packed bytes in lower-case hex, for the trailer of a transfer: as quick as memory, so
// that a receiver can verify the whole beside the copy. Against accidents, not against attackers.
std::string TransferDigest(std::span<const std::byte> bytes);

// The same for bytes that arrive piece by piece.
class TransferDigestStream {
 public:
  TransferDigestStream();
  ~TransferDigestStream();
  TransferDigestStream(const TransferDigestStream&) = delete;
  TransferDigestStream& operator=(const TransferDigestStream&) = delete;
  void Update(std::span<const std::byte> bytes);
  std::string Value() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

// A checksum over pieces, equal to Checksum of all of them one after another.
class ChecksumStream {
 public:
  ChecksumStream();
  ~ChecksumStream();
  ChecksumStream(const ChecksumStream&) = delete;
  ChecksumStream& operator=(const ChecksumStream&) = delete;
  void Reset();
  void Update(std::span<const std::byte> bytes);
  uint64_t Value() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace skein

#endif  // SKEIN_TENSOR_DIGEST_H_
