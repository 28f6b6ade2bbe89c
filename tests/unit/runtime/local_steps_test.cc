#include "skein/runtime/local_steps.h"

#include <cmath>

#include <gtest/gtest.h>

namespace skein {
namespace {

double NormOf(int steps, const LocalStep& step) {
  LocalSteps local;
  for (int i = 0; i < steps; ++i) local.Add(step);
  return local.norm();
}

TEST(LocalStepsTest, PlainSgdCountsItsSteps) {
  EXPECT_EQ(NormOf(0, {.lr = 0.1}), 0);
  EXPECT_EQ(NormOf(1, {.lr = 0.1}), 1);
  EXPECT_EQ(NormOf(1000, {.lr = 0.1}), 1000);
}

TEST(LocalStepsTest, MomentumAndPullAsFedNovaSays) {
  EXPECT_NEAR(NormOf(3, {.lr = 0.1, .momentum = 0.9}), 5.61, 1e-12);
  EXPECT_NEAR(NormOf(10, {.lr = 0.1, .momentum = 0.9}), 41.381059609, 1e-9);
  EXPECT_NEAR(NormOf(4, {.lr = 0.1, .pull = 0.5}), 3.709875, 1e-12);
  for (const int t : {1, 2, 7, 50}) {
    const double r = 0.5, a = 0.02;
    EXPECT_NEAR(NormOf(t, {.lr = 0.1, .momentum = r}),
                (t - r * (1 - std::pow(r, t)) / (1 - r)) / (1 - r), 1e-9);
    EXPECT_NEAR(NormOf(t, {.lr = 0.1, .pull = a / 0.1}), (1 - std::pow(1 - a, t)) / a, 1e-9);
  }
}

TEST(LocalStepsTest, BothAtOnceIsWhatSgdDoesWithConstantGradients) {
  const LocalStep step{.lr = 0.1, .momentum = 0.9, .pull = 0.5};
  double w = 0, v = 0;
  for (int i = 0; i < 12; ++i) {
    v = step.momentum * v + 1 + step.pull * w;
    w -= step.lr * v;
  }
  EXPECT_NEAR(NormOf(12, step), -w / step.lr, 1e-12);
}

TEST(LocalStepsTest, AddsUpLearningRates) {
  LocalSteps local;
  local.Add({.lr = 0.5});
  local.Add({.lr = 0.25});
  EXPECT_EQ(local.lr_sum(), 0.75);
  EXPECT_EQ(local.count(), 2u);
}

}  // namespace
}  // namespace skein
