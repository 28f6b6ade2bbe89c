#ifndef SKEIN_SRC_CODEC_FINITE_H_
#define SKEIN_SRC_CODEC_FINITE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "skein/tensor/manifest.h"

namespace skein {

// The first value that is NaN or of a greater magnitude than `limit`.
std::optional<size_t> FindBeyond(std::span<const float> values, float limit);

// The first NaN or Inf among packed elements of a float type, which may lie unaligned.
std::optional<uint64_t> FindNonFinite(DType dtype, std::span<const std::byte> elements);

// "NaN", "Inf", "-Inf" or the number.
std::string ValueText(float value);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_FINITE_H_
