#include "skein/base/fixed128.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace skein {
namespace {

TEST(Fixed128, KeepsIntegersAndBinaryFractionsExactly) {
  EXPECT_EQ(Fixed128::FromInt(-7).ToDouble(), -7.0);
  EXPECT_EQ(Fixed128::FromDouble(0.375).ToDouble(), 0.375);
  EXPECT_EQ(Fixed128::FromDouble(1.0 * (1ull << 53)), Fixed128::FromInt(1ll << 53));
}

TEST(Fixed128, RoundsHalfToEven) {
  const double unit = std::ldexp(1.0, -Fixed128::kFractionBits);
  EXPECT_EQ(Fixed128::FromDouble(0.5 * unit), Fixed128());
  EXPECT_EQ(Fixed128::FromDouble(1.5 * unit), Fixed128::FromParts(0, 2));
}

TEST(Fixed128, SumDoesNotDependOnOrder) {
  const double values[] = {1e20, 0.1, -1e20, 3e-9, 7};
  Fixed128 forward, backward;
  for (int i = 0; i < 5; ++i) {
    forward += Fixed128::FromDouble(values[i]);
    backward += Fixed128::FromDouble(values[4 - i]);
  }
  EXPECT_EQ(forward, backward);
  EXPECT_NEAR(forward.ToDouble(), 7.100000003, 1e-11);
}

TEST(Fixed128, SaturatesAndTreatsNanAsZero) {
  EXPECT_EQ(Fixed128::FromDouble(std::nan("")), Fixed128());
  EXPECT_GT(Fixed128::FromDouble(INFINITY).ToDouble(), 1e26);
  EXPECT_LT(Fixed128::FromDouble(-INFINITY).ToDouble(), -1e26);
}

TEST(Fixed128, PartsRoundTrip) {
  const Fixed128 value = Fixed128::FromDouble(-123456.789);
  EXPECT_EQ(Fixed128::FromParts(value.high(), value.low()), value);
}

}  // namespace
}  // namespace skein
