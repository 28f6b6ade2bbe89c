#ifndef SKEIN_SRC_CODEC_PARAMETERS_H_
#define SKEIN_SRC_CODEC_PARAMETERS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "skein/tensor/manifest.h"

namespace skein {

// Float parameters as what lossy codecs work on, float32, and back into their own type. Tensors may
// lie unaligned.

// Values that are worked on at a time: they stay in the cache.
inline constexpr size_t kCodecChunk = 4096;

// Elements `at` .. of a tensor, float64 rounded.
void LoadParameters(DType dtype, std::span<const std::byte> tensor, uint64_t at,
                    std::span<float> out);

// float32(model - base) of elements `at` ..
void LoadDifferences(DType dtype, std::span<const std::byte> model, std::span<const std::byte> base,
                     uint64_t at, std::span<float> out);

// Writes values, rounded to the tensor's type.
void StoreParameters(DType dtype, std::span<const float> values, std::span<std::byte> tensor,
                     uint64_t at);

// The tensor holds the base: adds to elements `at` .., in double where that type has more digits.
void AddDifferences(DType dtype, std::span<const float> values, std::span<std::byte> tensor,
                    uint64_t at);

// Writes the differences of two tensors' bits, as unsigned numbers of the element's size that wrap:
// first the lowest byte of each element, then the next ones. Exact for every type, and mostly zeros
// where values are near each other. `out` is as long as the tensors.
void SubtractBits(size_t element, std::span<const std::byte> model, std::span<const std::byte> base,
                  std::span<std::byte> out);
// The reverse; `model` holds the base.
void AddBits(size_t element, std::span<const std::byte> difference, std::span<std::byte> model);

bool AllZero(std::span<const std::byte> bytes);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_PARAMETERS_H_
