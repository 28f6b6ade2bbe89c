#include "app/plot/axis.h"

#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skein::plot {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Labels(const Axis& axis) {
  std::vector<std::string> labels;
  for (const double tick : axis.ticks()) labels.push_back(axis.Label(tick));
  return labels;
}

TEST(Axis, TicksAreRound) {
  EXPECT_THAT(Labels(Axis(0, 97, 0, 100, 5, false)), ElementsAre("0", "20", "40", "60", "80"));
  EXPECT_THAT(Labels(Axis(0, 0.9, 0, 100, 4, false)), ElementsAre("0.00", "0.25", "0.50", "0.75"));
  EXPECT_THAT(Labels(Axis(0, 12000, 0, 100, 3, false)), ElementsAre("0", "5,000", "10,000"));
  EXPECT_THAT(Labels(Axis(-0.02, 0.02, 0, 100, 4, false)),
              ElementsAre("-0.02", "-0.01", "0.00", "0.01", "0.02"));
}

TEST(Axis, EndsMoveOutwardToTicks) {
  const Axis axis(0.613, 0.874, 300, 0, 6, true);
  EXPECT_THAT(Labels(axis), ElementsAre("0.60", "0.65", "0.70", "0.75", "0.80", "0.85", "0.90"));
  EXPECT_DOUBLE_EQ(axis.At(0.6), 300);
  EXPECT_NEAR(axis.At(0.9), 0, 1e-9);
  EXPECT_NEAR(axis.At(0.75), 150, 1e-9);
}

TEST(Axis, ValuesBeyondAnEndAreAtIt) {
  const Axis axis(0, 10, 0, 100, 5, false);
  EXPECT_DOUBLE_EQ(axis.At(12), 100);
  EXPECT_DOUBLE_EQ(axis.At(-1), 0);
}

TEST(Axis, WhatIsAllTheSameHasAnAxisToo) {
  for (const double value : {0.0, 0.87, -3.0, 1e12, 1e-9, 1e300, -1e300}) {
    for (const bool to_ticks : {false, true}) {
      const Axis axis(value, value, 0, 100, 6, to_ticks);
      EXPECT_TRUE(std::isfinite(axis.At(value))) << value;
      EXPECT_GE(axis.At(value), 0) << value;
      EXPECT_LE(axis.At(value), 100) << value;
      EXPECT_GE(axis.ticks().size(), 2u) << value;
    }
  }
}

TEST(Axis, LabelsTellTicksApart) {
  for (double low : {0.0, 0.87, 123456.0, -5e9}) {
    for (double span = 1e-7; span < 1e12; span *= 3.7) {
      const Axis axis(low, low + span, 0, 100, 8, true);
      const std::vector<std::string> labels = Labels(axis);
      EXPECT_EQ(std::set<std::string>(labels.begin(), labels.end()).size(), labels.size())
          << low << " + " << span;
      EXPECT_GE(labels.size(), 3u) << low << " + " << span;
      EXPECT_LE(labels.size(), 12u) << low << " + " << span;
    }
  }
}

TEST(Units, FitTheLargestValue) {
  EXPECT_EQ(TimeUnit(82).name, "s");
  EXPECT_EQ(TimeUnit(4000).name, "min");
  EXPECT_EQ(TimeUnit(20 * 3600).name, "h");
  EXPECT_EQ(TimeUnit(30 * 86400).name, "days");
  EXPECT_EQ(ByteUnit(0).name, "B");
  EXPECT_EQ(ByteUnit(13.8e6).name, "MB");
  EXPECT_EQ(ByteUnit(1e12).size, 1e12);
}

}  // namespace
}  // namespace skein::plot
