#include "strategy/elements.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "skein/base/random.h"

namespace skein {
namespace {

// A finite value of a 16-bit float format, by its definition.
double HalfByDefinition(uint16_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  const int exponent = (bits >> 10) & 0x1f;
  const int fraction = bits & 0x3ff;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

TEST(Half, EveryFinitePatternHasItsValueAndRoundTrips) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    if ((half & 0x7c00) == 0x7c00) continue;
    ASSERT_EQ(FloatFromHalf(half), HalfByDefinition(half)) << bits;
    ASSERT_EQ(HalfFromFloat(FloatFromHalf(half)), half) << bits;
  }
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  // Between every two neighbors: the middle goes to the even one, a bit less or more to the nearer.
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
    const auto low = static_cast<uint16_t>(bits), high = static_cast<uint16_t>(bits + 1);
    const float middle = (FloatFromHalf(low) + FloatFromHalf(high)) / 2;  // exact in float32
    ASSERT_EQ(HalfFromFloat(middle), (low & 1) == 0 ? low : high) << bits;
    ASSERT_EQ(HalfFromFloat(std::nextafter(middle, 0.0f)), low) << bits;
    ASSERT_EQ(HalfFromFloat(std::nextafter(middle, 1e6f)), high) << bits;
    ASSERT_EQ(HalfFromFloat(-middle), 0x8000 | HalfFromFloat(middle)) << bits;
  }
}

TEST(Half, OverflowsToInfinityAndKeepsNan) {
  EXPECT_EQ(HalfFromFloat(65519.0f), 0x7bff);
  EXPECT_EQ(HalfFromFloat(65520.0f), 0x7c00);
  EXPECT_EQ(HalfFromFloat(-1e30f), 0xfc00);
  EXPECT_EQ(HalfFromFloat(INFINITY), 0x7c00);
  EXPECT_TRUE(std::isinf(FloatFromHalf(0x7c00)));
  EXPECT_TRUE(std::isnan(FloatFromHalf(HalfFromFloat(NAN))));
}

TEST(BFloat16, EveryPatternRoundTrips) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto brain = static_cast<uint16_t>(bits);
    const float value = FloatFromBFloat16(brain);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(FloatFromBFloat16(BFloat16FromFloat(value)))) << bits;
    } else {
      ASSERT_EQ(BFloat16FromFloat(value), brain) << bits;
    }
  }
}

TEST(BFloat16, RoundsToTheNearestAndTiesToEven) {
  for (uint32_t bits = 0; bits < 0x7f7f; ++bits) {
    const uint32_t middle = (bits << 16) | 0x8000;
    const auto low = static_cast<uint16_t>(bits), high = static_cast<uint16_t>(bits + 1);
    ASSERT_EQ(BFloat16FromFloat(std::bit_cast<float>(middle)), (low & 1) == 0 ? low : high);
    ASSERT_EQ(BFloat16FromFloat(std::bit_cast<float>(middle - 1)), low);
    ASSERT_EQ(BFloat16FromFloat(std::bit_cast<float>(middle + 1)), high);
  }
  EXPECT_EQ(BFloat16FromFloat(std::numeric_limits<float>::max()), 0x7f80);  // to infinity
}

class Unaligned : public ::testing::TestWithParam<DType> {};

TEST_P(Unaligned, WritesAndReadsBackFromAnyAddress) {
  const DType dtype = GetParam();
  std::array<std::byte, 128> memory;
  for (size_t shift = 0; shift < 8; ++shift) {
    const auto tensor = std::span(memory).subspan(shift, 4 * SizeOf(dtype));
    if (IsFloat(dtype)) {
      const std::array<double, 3> in = {1.5, -0.25, 96};
      StoreDoubles(dtype, in, tensor, 1);
      std::array<double, 3> out{};
      LoadDoubles(dtype, tensor, 1, out);
      EXPECT_EQ(in, out) << shift;
    } else {
      const std::array<int64_t, 3> in = {1, 0, dtype == DType::kBool ? 1 : 77};
      StoreInts(dtype, in, tensor, 1);
      std::array<int64_t, 3> out{};
      LoadInts(dtype, tensor, 1, out);
      EXPECT_EQ(in, out) << shift;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryType, Unaligned,
                         ::testing::Values(DType::kBool, DType::kUint8, DType::kInt8, DType::kInt16,
                                           DType::kInt32, DType::kInt64, DType::kFloat16,
                                           DType::kBFloat16, DType::kFloat32, DType::kFloat64),
                         [](const auto& tested) { return NameOf(tested.param); });

TEST(StoreInts, ClampsToTheType) {
  std::array<std::byte, 16> memory{};
  const std::array<int64_t, 2> wild = {INT64_MIN, INT64_MAX};
  std::array<int64_t, 2> out{};
  StoreInts(DType::kInt8, wild, memory, 0);
  LoadInts(DType::kInt8, memory, 0, out);
  EXPECT_EQ(out, (std::array<int64_t, 2>{-128, 127}));
  StoreInts(DType::kUint8, wild, memory, 0);
  LoadInts(DType::kUint8, memory, 0, out);
  EXPECT_EQ(out, (std::array<int64_t, 2>{0, 255}));
  StoreInts(DType::kInt64, wild, memory, 0);
  LoadInts(DType::kInt64, memory, 0, out);
  EXPECT_EQ(out, wild);
}

TEST(ForChunks, CoversEveryElementOnceInOrder) {
  for (const int64_t elements :
       {int64_t{0}, int64_t{1}, int64_t{4096}, int64_t{4097}, int64_t{10000}}) {
    TensorInfo info;
    info.shape = {elements};
    uint64_t next = 0;
    ForChunks<float>(info, [&](uint64_t at, std::span<float> values) {
      EXPECT_EQ(at, next);
      EXPECT_GT(values.size(), 0u);
      EXPECT_LE(values.size(), kFoldChunk);
      next = at + values.size();
    });
    EXPECT_EQ(next, static_cast<uint64_t>(elements));
  }
}

}  // namespace
}  // namespace skein
