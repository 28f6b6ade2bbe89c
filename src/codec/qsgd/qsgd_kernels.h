#ifndef SKEIN_SRC_CODEC_QSGD_QSGD_KERNELS_H_
#define SKEIN_SRC_CODEC_QSGD_QSGD_KERNELS_H_

#include <cstdint>
#include <span>

#include "skein/codec/codec_random.h"

namespace skein {

// The loops of QSGD over a bucket, or a part of one. Simple enough to become vector code.

// The largest magnitude of finite values.
float MaxMagnitudeOf(std::span<const float> values);
// The Euclidean norm, summed in double in eight lanes, so that every machine gets the same bits.
double NormOf(std::span<const float> values);

// The least float that `levels` times reaches `norm`, so that no value is above the last level.
float StepOf(double norm, int levels);

// Up to this many values at a time.
inline constexpr size_t kQsgdRun = 512;

// Random thresholds in [0, 2^31) for the values at first, first + 1, ..., which rounding takes.
void DrawThresholds(const CodecRandom& random, uint64_t first, std::span<int32_t> thresholds);
// The threshold that rounds to nearest, halves up.
inline constexpr int32_t kNearestThreshold = (1 << 30) - 1;

// levels[i] = sign * floor(|value| / step), and one more where the rest, in 2^-31, is above the
// threshold. `step` > 0.
void RoundToLevels(std::span<const float> values, float step, std::span<const int32_t> thresholds,
                   std::span<int8_t> levels);

// Two levels a byte as numbers of 4 bits in two's complement, the first one in the lower half.
void PackNibbles(std::span<const int8_t> levels, std::span<std::byte> out);
void UnpackNibbles(std::span<const std::byte> in, std::span<int8_t> levels);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_QSGD_QSGD_KERNELS_H_
