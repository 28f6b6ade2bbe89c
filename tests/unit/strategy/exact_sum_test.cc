#include "strategy/linear/exact_sum.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "strategy/linear/integers.h"

namespace skein {
namespace {

int64_t OneFast(float value, double weight, int scale_bits) {
  uint64_t acc = 0;
  AccumulateScaled({&value, 1}, weight, scale_bits, &acc);
  return static_cast<int64_t>(acc);
}

int64_t OneWide(float value, double weight, int scale_bits) {
  uint64_t acc = 0;
  AccumulateScaledWide({&value, 1}, weight, scale_bits, &acc);
  return static_cast<int64_t>(acc);
}

TEST(AccumulateScaled, RoundsHalfToEven) {
  const std::vector<std::pair<float, int64_t>> cases = {{0.5f, 0},  {1.5f, 2},   {2.5f, 2},
                                                        {-0.5f, 0}, {-1.5f, -2}, {-2.5f, -2},
                                                        {0.75f, 1}, {-0.75f, -1}};
  for (const auto& [value, q] : cases) {
    EXPECT_EQ(OneFast(value, 1, 0), q) << value;
    EXPECT_EQ(OneWide(value, 1, 0), q) << value;
  }
}

TEST(AccumulateScaled, FastAndWideAgreeWithRounding) {
  Rng rng(3);
  for (int i = 0; i < 100000; ++i) {
    const int scale_bits = static_cast<int>(rng.Below(40));
    const double weight = static_cast<double>(1 + rng.Below(600));
    // |v| <= 2, so |q| <= 2^51 at the most; keep to the promised 2^50.
    const auto value = static_cast<float>(2 * rng.Uniform() - 1);
    const double exact = static_cast<double>(value) * weight * std::ldexp(1.0, scale_bits);
    ASSERT_EQ(OneFast(value, weight, scale_bits), std::llrint(exact));
    ASSERT_EQ(OneWide(value, weight, scale_bits), std::llrint(exact));
  }
}

TEST(AccumulateScaled, IsRightAtTheBound) {
  const int64_t bound = int64_t{1} << 50;
  EXPECT_EQ(OneFast(1, 1, 50), bound);
  EXPECT_EQ(OneFast(-1, 1, 50), -bound);
  EXPECT_EQ(OneFast(std::numeric_limits<float>::denorm_min(), 1, 50), 0);
  EXPECT_EQ(OneWide(1, 0x1p12, 50), int64_t{1} << 62);
}

TEST(AccumulateScaled, AddsToWhatIsThereForAnyLength) {
  for (size_t length : {0, 1, 2, 3, 7, 8, 9, 31, 100}) {
    std::vector<float> values(length);
    std::vector<uint64_t> acc(length + 1, 1000);
    for (size_t i = 0; i < length; ++i) values[i] = static_cast<float>(i) - 5;
    AccumulateScaled(values, 3, 1, acc.data());
    for (size_t i = 0; i < length; ++i) {
      EXPECT_EQ(static_cast<int64_t>(acc[i]), 1000 + 6 * (static_cast<int64_t>(i) - 5));
    }
    EXPECT_EQ(acc[length], 1000u) << "one past the end";
  }
}

TEST(AccumulateScaled, SubtractingTheNegativeRestoresTheSum) {
  Rng rng(5);
  std::vector<float> values(1000), negated(1000);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(rng.Normal());
    negated[i] = -values[i];
  }
  std::vector<uint64_t> acc(values.size(), 42);
  AccumulateScaled(values, 17, 30, acc.data());
  AccumulateScaled(negated, 17, 30, acc.data());
  EXPECT_EQ(acc, std::vector<uint64_t>(values.size(), 42));
}

TEST(FindOutOfBounds, FindsTheFirstOffender) {
  std::vector<float> values(100, 8.0f);
  EXPECT_EQ(FindOutOfBounds(values, 3), std::nullopt);  // the bound itself is allowed
  values[70] = std::nextafter(8.0f, 9.0f);
  EXPECT_EQ(FindOutOfBounds(values, 3), 70u);
  for (const float bad : {NAN, INFINITY, -INFINITY, -8.5f}) {
    values[33] = bad;
    EXPECT_EQ(FindOutOfBounds(values, 3), 33u) << bad;
  }
  EXPECT_EQ(FindOutOfBounds({}, 0), std::nullopt);
}

TEST(DivideHalfEven, RoundsToTheNearestAndTiesToEven) {
  struct Case {
    int64_t sum, weight, quotient;
  };
  for (const Case& c : {Case{7, 2, 4}, Case{5, 2, 2}, Case{-5, 2, -2}, Case{-7, 2, -4},
                        Case{10, 3, 3}, Case{11, 3, 4}, Case{-10, 3, -3}, Case{-11, 3, -4},
                        Case{0, 9, 0}, Case{INT64_MAX, INT64_MAX, 1}, Case{INT64_MIN, 1, INT64_MIN},
                        Case{INT64_MAX, 2, int64_t{1} << 62}, Case{1, INT64_MAX, 0},
                        Case{INT64_MAX - 1, INT64_MAX, 1}}) {
    EXPECT_EQ(DivideHalfEven(c.sum, c.weight), c.quotient) << c.sum << " / " << c.weight;
  }
}

TEST(AveragingRange, NarrowTypesAreWholeAndWideOnesKeepTheSumIn63Bits) {
  EXPECT_EQ(AveragingRange(DType::kInt8, 60000).low, -128);
  EXPECT_EQ(AveragingRange(DType::kInt8, 60000).high, 127);
  const IntRange wide = AveragingRange(DType::kInt64, 60000);
  EXPECT_EQ(wide.high, (int64_t{1} << 62) / 60000);
  EXPECT_EQ(wide.low, -wide.high);
}

}  // namespace
}  // namespace skein
