#include <cmath>

#include <gmock/gmock.h>

#include "unit/strategy/robust_rows.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

PartSpec Rfa(int64_t iterations, const std::string& weights = "uniform") {
  return {"geometric-median", {{"iterations", iterations}, {"weights", weights}}};
}

const Rows kFour = {{0, 0}, {1, 0}, {0, 1}, {10, 10}};

double ObjectiveOf(const Rows& rows, const std::vector<uint64_t>& samples,
                   const std::vector<double>& v) {
  double sum = 0;
  double total = 0;
  for (size_t k = 0; k < rows.size(); ++k) {
    const auto weight = samples.empty() ? 1.0 : static_cast<double>(samples[k]);
    sum += weight * std::sqrt(SquaredDistanceOf(rows[k], v));
    total += weight;
  }
  return sum / total;
}

void ExpectNear(const std::vector<double>& values, double expected) {
  for (const double value : values) EXPECT_NEAR(value, expected, 1e-6 * (1 + std::abs(expected)));
}

// Pillutla et al. 2019, Algorithm 2, worked out by NumPy.
TEST(GeometricMedian, TakesWeiszfeldsSteps) {
  ExpectNear(FoldRows(Rfa(1), kFour), 1.3241696652);
  ExpectNear(FoldRows(Rfa(2), kFour), .7435841867);
  ExpectNear(FoldRows(Rfa(3), kFour), .5700945035);
  ExpectNear(FoldRows({"geometric-median", {{"weights", "uniform"}}}, kFour), .5700945035);
  ExpectNear(FoldRows(Rfa(500), kFour), .5);
  EXPECT_NEAR(ObjectiveOf(kFour, {}, FoldRows(Rfa(1), kFour)), 4.2171700395, 1e-6);
  EXPECT_NEAR(ObjectiveOf(kFour, {}, FoldRows(Rfa(3), kFour)), 3.8925445776, 1e-6);
  EXPECT_NEAR(ObjectiveOf(kFour, {}, FoldRows(Rfa(500), kFour)), 3.8890872965, 1e-6);
}

TEST(GeometricMedian, SamplesWeigh) {
  const Rows rows = {{0, 0}, {2, 0}, {0, 2}, {20, 20}};
  const std::vector<uint64_t> samples = {1, 2, 2, 1};
  ExpectNear(FoldRows(Rfa(1, "samples"), rows, samples), 1.59432828);
  ExpectNear(FoldRows(Rfa(2, "samples"), rows, samples), 1.09831486);
  ExpectNear(FoldRows(Rfa(3, "samples"), rows, samples), 1.01915693);
  ExpectNear(FoldRows({"geometric-median", {}}, rows, samples), 1.01915693);
}

TEST(GeometricMedian, InOneDimensionGoesToTheMedian) {
  const Rows rows = {{1}, {2}, {100}};
  ExpectNear(FoldRows(Rfa(1), rows), 21.20243666);
  ExpectNear(FoldRows(Rfa(2), rows), 12.45096162);
  ExpectNear(FoldRows(Rfa(3), rows), 7.30788258);
  ExpectNear(FoldRows(Rfa(4), rows), 4.51239422);
  EXPECT_NEAR(FoldRows(Rfa(5000), rows)[0], 2, 1e-3);
}

TEST(GeometricMedian, EveryStepComesNearer) {
  Rng rng(41);
  for (int trial = 0; trial < 10; ++trial) {
    const Rows rows = RandomRows(3 + rng.Below(20), 1 + rng.Below(200), rng);
    std::vector<uint64_t> samples;
    for (size_t k = 0; k < rows.size(); ++k) samples.push_back(1 + rng.Below(900));
    double last = std::numeric_limits<double>::infinity();
    for (int64_t steps = 1; steps < 8; ++steps) {
      const double now = ObjectiveOf(rows, samples, FoldRows(Rfa(steps, "samples"), rows, samples));
      EXPECT_LE(now, last * (1 + 1e-6)) << "trial " << trial;
      last = now;
    }
  }
}

TEST(GeometricMedian, MatchesAPlainOne) {
  Rng rng(43);
  for (int trial = 0; trial < 20; ++trial) {
    const Rows rows = RandomRows(1 + rng.Below(30), 1 + rng.Below(500), rng);
    std::vector<uint64_t> samples;
    for (size_t k = 0; k < rows.size(); ++k) samples.push_back(1 + rng.Below(900));
    std::vector<double> beta(samples.begin(), samples.end());
    std::vector<double> v;
    for (int step = 0; step <= 3; ++step) {
      double total = 0;
      v.assign(rows[0].size(), 0);
      for (size_t k = 0; k < rows.size(); ++k) {
        total += beta[k];
        for (size_t i = 0; i < v.size(); ++i) v[i] += beta[k] * rows[k][i];
      }
      for (double& value : v) value /= total;
      double all = 0;
      for (const uint64_t n : samples) all += static_cast<double>(n);
      for (size_t k = 0; k < rows.size(); ++k) {
        beta[k] = static_cast<double>(samples[k]) / all /
                  std::max(1e-6, std::sqrt(SquaredDistanceOf(rows[k], v)));
      }
    }
    const auto result = FoldRows(Rfa(3, "samples"), rows, samples);
    for (size_t i = 0; i < v.size(); ++i) {
      ASSERT_NEAR(result[i], v[i], 1e-6 * (1 + std::abs(v[i]))) << "trial " << trial;
    }
  }
}

TEST(GeometricMedian, LessThanHalfOfTheWeightCannotTakeItAway) {
  Rng rng(47);
  Rows rows = RandomRows(9, 30, rng);
  for (size_t k = 0; k < 4; ++k) rows[k].assign(30, 1e6);
  for (const double value : FoldRows(Rfa(200), rows)) EXPECT_LT(std::abs(value), 100);
}

TEST(GeometricMedian, SaysWhatSamplesAreNotPossible) {
  auto updates = UpdatesOf({{1}, {2}}, {1000, 1001});
  EXPECT_THAT(Message(TryFold(Rfa(1, "samples"), updates, updates[0].tensors).status()),
              HasSubstr("it says 1001 samples, the declared bound is 1000"));
  EXPECT_TRUE(TryFold(Rfa(1, "uniform"), updates, updates[0].tensors).ok());
  updates = UpdatesOf({{1}, {2}}, {0, 0});
  EXPECT_THAT(Message(TryFold(Rfa(1, "samples"), updates, updates[0].tensors).status()),
              HasSubstr("no contribution has any"));
}

}  // namespace
}  // namespace skein
