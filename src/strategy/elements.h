#ifndef SKEIN_SRC_STRATEGY_ELEMENTS_H_
#define SKEIN_SRC_STRATEGY_ELEMENTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "skein/tensor/manifest.h"

namespace skein {

// Elements of packed tensors, which may lie unaligned, as numbers.

// Reads elements offset .. offset + out.size() of a tensor of type `dtype` as doubles (exact for
// all floats) or as int64 (integers and bools).
void LoadDoubles(DType dtype, std::span<const std::byte> tensor, uint64_t offset,
                 std::span<double> out);
void LoadInts(DType dtype, std::span<const std::byte> tensor, uint64_t offset,
              std::span<int64_t> out);
void LoadFloats(std::span<const std::byte> tensor, uint64_t offset, std::span<float> out);

// Writes them, rounded to nearest even into narrower floats; integers are clamped to their type.
// Floats go through float32 but for float64, which takes the double.
void StoreDoubles(DType dtype, std::span<const double> in, std::span<std::byte> tensor,
                  uint64_t offset);
void StoreInts(DType dtype, std::span<const int64_t> in, std::span<std::byte> tensor,
               uint64_t offset);

// Elements that are worked on at a time: few enough to stay in the cache.
inline constexpr size_t kFoldChunk = 4096;

// Calls visit(offset, values) for the pieces of a tensor, each with room for its elements.
template <typename T, typename Visit>
void ForChunks(const TensorInfo& info, Visit visit) {
  const uint64_t elements = info.NumElements();
  std::vector<T> chunk(std::min<uint64_t>(kFoldChunk, elements));
  for (uint64_t at = 0; at < elements; at += kFoldChunk) {
    visit(at, std::span(chunk).first(std::min<uint64_t>(kFoldChunk, elements - at)));
  }
}

// float16 and bfloat16 by hand: no libtorch here.
float FloatFromHalf(uint16_t bits);
uint16_t HalfFromFloat(float value);
float FloatFromBFloat16(uint16_t bits);
uint16_t BFloat16FromFloat(float value);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_ELEMENTS_H_
