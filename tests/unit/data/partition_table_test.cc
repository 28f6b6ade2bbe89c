#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/data/partition.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

TEST(LabelHistogram, IsATableOfWorkersAndLabels) {
  const std::vector<int64_t> labels = {0, 0, 1, 12, 1, 0, 0};
  EXPECT_EQ(LabelHistogram({{0, 1, 2}, {3}, {4, 5, 6}}, labels),
            "worker  samples  0  1  12\n"
            "w0            3  2  1   .\n"
            "w1            1  .  .   1\n"
            "w2            3  2  1   .\n"
            "all           7  4  2   1\n");
}

TEST(LabelHistogram, SummarizesWorkersBeyondTheLimit) {
  const std::vector<int64_t> labels(10, 5);
  EXPECT_EQ(LabelHistogram({{0}, {1, 2}, {3, 4, 5}, {6, 7, 8, 9}}, labels, 2),
            "worker  samples   5\n"
            "w0            1   1\n"
            "w1            2   2\n"
            "all          10  10\n"
            "(and 2 more workers with 3 to 4 samples each)\n");
}

TEST(LabelHistogram, CountsManyLabelsTogether) {
  std::vector<int64_t> labels(100);
  std::vector<uint32_t> all(100);
  for (uint32_t i = 0; i < 100; ++i) {
    labels[i] = i;
    all[i] = i;
  }
  const std::string table = LabelHistogram({all}, labels);
  EXPECT_THAT(table, HasSubstr("  18  other\n"));
  EXPECT_THAT(table, HasSubstr("   1     81\n"));
}

TEST(LabelHistogram, TakesEmptyParts) {
  EXPECT_EQ(LabelHistogram({{}}, {}), "worker  samples\nw0            0\nall           0\n");
}

}  // namespace
}  // namespace skein
