#include "strategy/linear/integers.h"

#include <gtest/gtest.h>

namespace skein {
namespace {

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
