#include "app/plot/natural_order.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skein::plot {
namespace {

TEST(NaturallyBefore, NumbersCountAsNumbers) {
  std::vector<std::string> names = {"w10", "w2", "a0", "w", "w02", "w2b", "a10-w1", "a9-w3"};
  std::sort(names.begin(), names.end(), NaturallyBefore);
  EXPECT_THAT(names,
              ::testing::ElementsAre("a0", "a9-w3", "a10-w1", "w", "w02", "w2", "w2b", "w10"));
}

TEST(NaturallyBefore, IsAStrictWeakOrder) {
  const std::vector<std::string> names = {"",    "0",   "00",   "1",   "01",   "a",   "a1",
                                          "a01", "a1b", "a01b", "a1a", "a10a", "a9z", "9"};
  for (const auto& a : names) {
    EXPECT_FALSE(NaturallyBefore(a, a));
    for (const auto& b : names) {
      EXPECT_EQ(NaturallyBefore(a, b) || NaturallyBefore(b, a), a != b) << a << ' ' << b;
      EXPECT_FALSE(NaturallyBefore(a, b) && NaturallyBefore(b, a)) << a << ' ' << b;
      for (const auto& c : names) {
        if (NaturallyBefore(a, b) && NaturallyBefore(b, c)) {
          EXPECT_TRUE(NaturallyBefore(a, c)) << a << ' ' << b << ' ' << c;
        }
      }
    }
  }
}

}  // namespace
}  // namespace skein::plot
