#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include "unit/strategy/robust_rows.h"

namespace skein {
namespace {

PartSpec Centered(double clip, int64_t iterations) {
  return {"centered-clipping", {{"clip", clip}, {"iterations", iterations}}};
}

const Rows kFour = {{0, 0}, {1, 0}, {0, 1}, {10, 10}};

void ExpectNear(const std::vector<double>& values, double expected) {
  for (const double value : values) EXPECT_NEAR(value, expected, 1e-6 * (1 + std::abs(expected)));
}

// The rule of the paper, as it stands there.
std::vector<double> Plain(const Rows& rows, double clip, int iterations) {
  std::vector<double> v(rows[0].size());
  for (int step = 0; step < iterations; ++step) {
    std::vector<double> next = v;
    for (const std::vector<double>& row : rows) {
      const double distance = std::sqrt(SquaredDistanceOf(row, v));
      const double scale = distance > clip ? clip / distance : 1;
      for (size_t i = 0; i < v.size(); ++i) {
        next[i] += (row[i] - v[i]) * scale / static_cast<double>(rows.size());
      }
    }
    v = next;
  }
  return v;
}

// Karimireddy et al. 2021, section 4, from 0, worked out by hand and by Python.
TEST(CenteredClipping, TakesThePapersSteps) {
  ExpectNear(FoldRows(Centered(1, 1), kFour), .4267766953);
  ExpectNear(FoldRows(Centered(1, 2), kFour), .5334708691);
  ExpectNear(FoldRows(Centered(1, 3), kFour), .5601444126);
  ExpectNear(FoldRows({"centered-clipping", {{"clip", 1.0}}}, kFour), .5601444126);
  ExpectNear(FoldRows(Centered(1, 500), kFour), .5690355937);
  ExpectNear(FoldRows(Centered(.5, 200), {{1}, {2}, {100}}), 2);
}

TEST(CenteredClipping, OneStepClipsAndTheNextGoesOn) {
  const Rows one = {{3, 4}};
  EXPECT_THAT(FoldRows(Centered(2.5, 1), one), ::testing::ElementsAre(1.5, 2));
  EXPECT_THAT(FoldRows(Centered(2.5, 2), one), ::testing::ElementsAre(3, 4));
}

TEST(CenteredClipping, IsTheMeanWhereNothingIsFar) {
  Rng rng(52);
  const Rows rows = RandomRows(9, 30, rng);
  for (const int64_t iterations : {1, 5}) {
    const std::vector<double> result = FoldRows(Centered(1e6, iterations), rows);
    for (size_t i = 0; i < result.size(); ++i) {
      double mean = 0;
      for (const std::vector<double>& row : rows) mean += row[i] / 9;
      EXPECT_NEAR(result[i], mean, 1e-6 * (1 + std::abs(mean)));
    }
  }
}

TEST(CenteredClipping, MatchesAPlainOne) {
  Rng rng(53);
  for (int trial = 0; trial < 20; ++trial) {
    const Rows rows = RandomRows(1 + rng.Below(30), 1 + rng.Below(500), rng);
    const int iterations = 1 + static_cast<int>(rng.Below(8));
    const double clip = 1 + static_cast<double>(rng.Below(20));
    const std::vector<double> expected = Plain(rows, clip, iterations);
    const std::vector<double> result = FoldRows(Centered(clip, iterations), rows);
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(result[i], expected[i], 1e-6 * (1 + std::abs(expected[i]))) << "trial " << trial;
    }
  }
}

TEST(CenteredClipping, AMinorityMovesItNoFurtherThanClipAndStep) {
  Rng rng(54);
  const Rows honest = RandomRows(7, 20, rng);
  const std::vector<double> alone = FoldRows(Centered(1, 3), honest);
  Rows rows = honest;
  for (int liar = 0; liar < 3; ++liar) rows.push_back(std::vector<double>(20, 1e6));
  const std::vector<double> attacked = FoldRows(Centered(1, 3), rows);
  // Each of the three steps is at most 1 long.
  EXPECT_LE(std::sqrt(SquaredDistanceOf(attacked, std::vector<double>(20, 0))), 3);
  EXPECT_LE(std::sqrt(SquaredDistanceOf(attacked, alone)), 6);
}

}  // namespace
}  // namespace skein
