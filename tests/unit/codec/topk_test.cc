#include "codec/topk/topk.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "unit/codec/codec_samples.h"

namespace skein {
namespace {

using Values = std::vector<float>;

// The same by sorting.
std::vector<uint32_t> BySorting(const Values& values, uint64_t k) {
  std::vector<uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(
      order, [&](uint32_t a, uint32_t b) { return std::abs(values[a]) > std::abs(values[b]); });
  order.resize(std::min<uint64_t>(k, order.size()));
  std::erase_if(order, [&](uint32_t i) { return values[i] == 0; });
  std::ranges::sort(order);
  return order;
}

TEST(TopK, KeepsWhatItOwes) {
  const auto pipeline = Pipeline({{"topk", {{"ratio", 0.25}}}});
  CodecState state(Update(Values(4)).manifest());
  const auto round = [&](const Values& delta) {
    const Values sent = Sent(*pipeline, delta, {}, &state);
    EXPECT_TRUE(state.Commit().ok());
    return std::pair(sent, Floats(state.errors()));
  };
  EXPECT_EQ(round({4, -3, 2, 1}), std::pair(Values({4, 0, 0, 0}), Values({0, -3, 2, 1})));
  EXPECT_EQ(round({1, -3, 2, 1}), std::pair(Values({0, -6, 0, 0}), Values({1, 0, 4, 2})));
  EXPECT_EQ(round({0, 0, 2, 1}), std::pair(Values({0, 0, 6, 0}), Values({1, 0, 0, 3})));
}

TEST(TopK, WithoutErrorFeedbackForgets) {
  const auto pipeline = Pipeline({{"topk", {{"ratio", 0.25}, {"error_feedback", false}}}});
  EXPECT_FALSE(pipeline->keeps_error());
  EXPECT_EQ(Sent(*pipeline, {4, -3, 2, 1}), Values({4, 0, 0, 0}));
  EXPECT_EQ(Sent(*pipeline, {1, -3, 2, 1}), Values({0, -3, 0, 0}));
}

TEST(TopK, FindsWhatSortingFinds) {
  Rng rng(2);
  for (int trial = 0; trial < 300; ++trial) {
    Values values(1 + rng.Below(700));
    for (float& v : values) {
      v = trial % 3 == 0   ? std::bit_cast<float>(static_cast<uint32_t>(rng.Next()) & 0xbfffffff)
          : trial % 3 == 1 ? static_cast<float>(rng.Normal())
                           : static_cast<float>(static_cast<int>(rng.Below(7)) - 3);
    }
    const uint64_t k = 1 + rng.Below(values.size());
    ASSERT_EQ(LargestOf(values, k), BySorting(values, k)) << "trial " << trial << ", k " << k;
  }
}

TEST(TopK, TiesGoToTheLowerIndex) {
  EXPECT_EQ(LargestOf(Values({1, -2, 2, -2, 1, 2}), 3), (std::vector<uint32_t>{1, 2, 3}));
  EXPECT_EQ(LargestOf(Values({1, -1, 1, 5}), 2), (std::vector<uint32_t>{0, 3}));
}

TEST(TopK, SendsNoZeros) {
  EXPECT_EQ(LargestOf(Values({0, 0, 3, 0}), 3), (std::vector<uint32_t>{2}));
  EXPECT_EQ(LargestOf(Values({0, -0.0f}), 1), (std::vector<uint32_t>{}));
  EXPECT_EQ(LargestOf(Values({}), 0), (std::vector<uint32_t>{}));
}

TEST(TopK, KeepsAsManyAsTheRatioSays) {
  EXPECT_EQ(KeptOf(0.07, 100), 7u);  // 0.07 * 100 is above 7 in binary
  EXPECT_EQ(KeptOf(0.29, 100), 29u);
  EXPECT_EQ(KeptOf(0.1, 10), 1u);
  EXPECT_EQ(KeptOf(0.1, 11), 2u);
  EXPECT_EQ(KeptOf(1e-9, 5), 1u);
  EXPECT_EQ(KeptOf(1, 5), 5u);
  EXPECT_EQ(KeptOf(0.01, 0), 0u);
  EXPECT_EQ(KeptOf(0.01, 1'000'000'000), 10'000'000u);
}

TEST(TopK, LosesAtMostItsShareOfTheNorm) {
  Rng rng(3);
  for (const double ratio : {0.01, 0.1, 0.5, 1.0}) {
    Values values(1000);
    for (float& v : values) v = static_cast<float>(rng.Normal());
    const auto sent =
        Sent(*Pipeline({{"topk", {{"ratio", ratio}, {"error_feedback", false}}}}), values);
    double lost = 0, all = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      lost += std::pow(double{values[i]} - sent[i], 2);
      all += std::pow(double{values[i]}, 2);
    }
    EXPECT_LE(lost, (1 - ratio) * all * (1 + 1e-9)) << ratio;
  }
}

TEST(TopK, WhatIsSentAndOwedIsAllThereWas) {
  // Over a thousand rounds, also where quantizers lose more.
  const std::vector<std::vector<PartSpec>> pipelines = {
      {{"topk", {{"ratio", 0.05}}}},
      {{"topk", {{"ratio", 0.05}}}, {"int8"}, {"zstd"}},
      {{"topk", {{"ratio", 0.05}}}, {"int4", {{"rounding", "nearest"}}}},
      {{"randomk", {{"ratio", 0.05}, {"error_feedback", true}}}, {"fp16"}}};
  for (const auto& parts : pipelines) {
    const auto pipeline = Pipeline(parts);
    constexpr size_t kSize = 200;
    CodecState state(Update(Values(kSize)).manifest());
    Rng rng(4);
    std::vector<double> all(kSize), sent(kSize);
    double owed = 0;
    for (uint64_t r = 0; r < 1000; ++r) {
      Values delta(kSize);
      for (size_t i = 0; i < kSize; ++i) {
        delta[i] = static_cast<float>(0.01 + rng.Normal());
        all[i] += delta[i];
      }
      const Values received = Sent(*pipeline, delta, {.round = r}, &state);
      ASSERT_TRUE(state.Commit().ok());
      for (size_t i = 0; i < kSize; ++i) sent[i] += received[i];
    }
    const Values errors = Floats(state.errors());
    for (size_t i = 0; i < kSize; ++i) {
      EXPECT_NEAR(sent[i] + errors[i], all[i], 1e-6 * 1000) << pipeline->form() << " at " << i;
      owed = std::max(owed, std::abs(double{errors[i]}));
    }
    EXPECT_LT(owed, 400) << pipeline->form() << ": what is owed does not grow for ever";
  }
}

}  // namespace
}  // namespace skein
