#include "skein/base/random.h"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

namespace skein {
namespace {

TEST(DeriveSeed, IsAFunctionOfAllItsParts) {
  std::set<uint64_t> seen;
  for (uint64_t seed : {0u, 1u, 42u}) {
    for (uint64_t a = 0; a < 20; ++a) {
      for (uint64_t b = 0; b < 20; ++b) seen.insert(DeriveSeed(seed, {a, b}));
    }
  }
  EXPECT_EQ(seen.size(), 3u * 20 * 20);
  EXPECT_EQ(DeriveSeed(7, {1, 2}), DeriveSeed(7, {1, 2}));
  EXPECT_NE(DeriveSeed(7, {1, 2}), DeriveSeed(7, {2, 1}));
}

TEST(Rng, MatchesTheReferenceGenerator) {
  // xoshiro256++ seeded by SplitMix64(0); the first word follows from the published SplitMix64
  // sequence e220a8397b1dcdaf 6e789e6aa1b965f4 06c45d188009454f f88bb8a8724c81ec.
  const uint64_t s0 = 0xe220a8397b1dcdaf, s3 = 0xf88bb8a8724c81ec;
  const uint64_t sum = s0 + s3;
  Rng rng(0);
  EXPECT_EQ(rng.Next(), ((sum << 23) | (sum >> 41)) + s0);
}

TEST(Rng, BelowIsUniform) {
  Rng rng(1);
  int counts[6] = {};
  for (int i = 0; i < 60000; ++i) ++counts[rng.Below(6)];
  for (int count : counts) EXPECT_NEAR(count, 10000, 400);
}

TEST(Rng, NormalHasUnitVariance) {
  Rng rng(2);
  double sum = 0, squares = 0;
  for (int i = 0; i < 100000; ++i) {
    const double x = rng.Normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 100000, 0, 0.02);
  EXPECT_NEAR(squares / 100000, 1, 0.03);
}

TEST(Rng, GammaHasTheRightMeanAlsoForSmallShapes) {
  for (double shape : {0.1, 0.5, 1.0, 4.0}) {
    Rng rng(3);
    double sum = 0;
    for (int i = 0; i < 100000; ++i) sum += std::exp(rng.LogGamma(shape));
    EXPECT_NEAR(sum / 100000, shape, 0.03 * std::sqrt(shape) + 0.005) << shape;
  }
}

TEST(Rng, LogGammaStaysFiniteForTinyShapes) {
  Rng rng(4);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(std::isfinite(rng.LogGamma(1e-4)));
}

TEST(Rng, ShufflePermutes) {
  Rng rng(5);
  std::vector<int> items = {0, 1, 2, 3, 4, 5, 6, 7};
  rng.Shuffle(items);
  EXPECT_EQ(std::set<int>(items.begin(), items.end()).size(), 8u);
}

}  // namespace
}  // namespace skein
