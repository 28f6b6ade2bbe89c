#ifndef SKEIN_SRC_STRATEGY_LINEAR_MAGIC_H_
#define SKEIN_SRC_STRATEGY_LINEAR_MAGIC_H_

#include <bit>
#include <cstdint>

namespace skein {

// Numbers by which the kernels convert between double and int64 without the processor's own
// conversion. To be used without contraction into fused multiply-adds: each operation is rounded by
// itself.

// Adding 1.5 * 2^52 leaves the integer, rounded half to even by the addition itself, in the low
// bits; right for magnitudes below 2^51.
inline constexpr double kToUnits = 0x1.8p52;
inline constexpr uint64_t kToUnitsBits = std::bit_cast<uint64_t>(kToUnits);

// The same in units of 2^32. What a magnitude up to 2^62 leaves beside them is exact and below
// 2^51, and since the units are even, rounding that rest half to even rounds the whole so.
inline constexpr double kToBlocks = 0x1.8p84;
inline constexpr uint64_t kToBlocksBits = std::bit_cast<uint64_t>(kToBlocks);

// Back again, for all of int64: the high half, with its sign flipped, in the low bits of 2^84 is
// 2^84 + 2^63 + high * 2^32; the low half in those of 2^52 is 2^52 + low. Without the constants,
// which is exact, their sum is rounded once.
inline constexpr uint64_t kHighHalfBits = std::bit_cast<uint64_t>(0x1p84) | 0x80000000u;
inline constexpr uint64_t kLowHalfBits = std::bit_cast<uint64_t>(0x1p52);
inline constexpr double kHalvesExcess = 0x1p84 + 0x1p63 + 0x1p52;

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_MAGIC_H_
