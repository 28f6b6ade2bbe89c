#ifndef SKEIN_TENSOR_DIGEST_H_
#define SKEIN_TENSOR_DIGEST_H_

#include <cstdint>
#include <span>
#include <string>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// XXH3-64, the checksum of a chunk on the wire. Against accidents, not against attackers.
uint64_t Checksum(std::span<const std::byte> bytes);

// SHA-256 of the canonical safetensors file of `tensors` in lower-case hex, so that `sha256sum
// model.safetensors` agrees with it (the roles of tensors do not enter).
std::string ModelDigest(const PackedTensors& tensors);

}  // namespace skein

#endif  // SKEIN_TENSOR_DIGEST_H_
