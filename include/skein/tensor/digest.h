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

// The same for tensors that arrive piece by piece: the packed bytes in order, then Finish, once.
class ModelDigestStream {
 public:
  explicit ModelDigestStream(const Manifest& manifest);
  ~ModelDigestStream();
  ModelDigestStream(const ModelDigestStream&) = delete;
  ModelDigestStream& operator=(const ModelDigestStream&) = delete;
  void Update(std::span<const std::byte> bytes);
  std::string Finish();

 private:
  struct Context;
  const std::unique_ptr<Context> context_;
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
