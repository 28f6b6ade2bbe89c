#include <cmath>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "unit/codec/codec_samples.h"

namespace skein {
namespace {

using Values = std::vector<float>;

Values Normals(size_t n) {
  Rng rng(8);
  Values values(n);
  for (float& v : values) v = static_cast<float>(rng.Normal());
  return values;
}

size_t CountSent(const Values& values) {
  size_t count = 0;
  for (const float v : values) count += v != 0 ? 1 : 0;
  return count;
}

TEST(RandomK, SendsKValuesMadeLarger) {
  const Values values = Normals(1000);
  const Values sent = Sent(*Pipeline({{"randomk", {{"ratio", 0.1}}}}), values);
  EXPECT_EQ(CountSent(sent), 100u);
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_TRUE(sent[i] == 0 || sent[i] == 10 * values[i]) << i;
  }
}

TEST(RandomK, IsUnbiasedWithTheVarianceOfThePaper) {
  const Values values = Normals(40);
  const auto pipeline = Pipeline({{"randomk", {{"ratio", 0.25}}}});
  constexpr int kTrials = 20'000;
  std::vector<double> mean(values.size());
  double variance = 0, norm = 0;
  for (uint64_t trial = 0; trial < kTrials; ++trial) {
    const Values sent = Sent(*pipeline, values, {.seed = 3, .round = trial});
    for (size_t i = 0; i < values.size(); ++i) {
      mean[i] += double{sent[i]} / kTrials;
      variance += std::pow(double{sent[i]} - values[i], 2) / kTrials;
    }
  }
  for (size_t i = 0; i < values.size(); ++i) {
    norm += std::pow(double{values[i]}, 2);
    // Each is 4 v or 0: a deviation of sqrt(3) |v|. Five of the mean's.
    EXPECT_NEAR(mean[i], values[i], 5 * std::sqrt(3.0 / kTrials) * std::abs(values[i])) << i;
  }
  EXPECT_NEAR(variance, (4 - 1) * norm, 0.02 * 3 * norm);
}

TEST(RandomK, WithErrorFeedbackSendsValuesAsTheyAreAndKeepsTheOthers) {
  const Values values = Normals(100);
  const auto pipeline = Pipeline({{"randomk", {{"ratio", 0.3}, {"error_feedback", true}}}});
  CodecState state(Update(values).manifest());
  const Values sent = Sent(*pipeline, values, {}, &state);
  ASSERT_TRUE(state.Commit().ok());
  const Values owed = Floats(state.errors());
  EXPECT_EQ(CountSent(sent), 30u);
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(sent[i] + owed[i], values[i]);
    EXPECT_TRUE(sent[i] == 0 || owed[i] == 0);
  }
}

TEST(RandomK, SupportsDifferByRoundSenderAndTensorUnlessShared) {
  const Values ones(64, 1);
  const auto support = [&](const ValueMap& params, const CodecContext& context) {
    ValueMap with = params;
    with["ratio"] = 0.25;
    return Sent(*Pipeline({{"randomk", with}}), ones, context);
  };
  const CodecContext here{.seed = 1, .round = 2, .sender = 3};
  EXPECT_EQ(support({}, here), support({}, here));
  EXPECT_NE(support({}, here), support({}, {.seed = 9, .round = 2, .sender = 3}));
  EXPECT_NE(support({}, here), support({}, {.seed = 1, .round = 9, .sender = 3}));
  EXPECT_NE(support({}, here), support({}, {.seed = 1, .round = 2, .sender = 9}));
  const ValueMap shared = {{"shared", true}};
  EXPECT_EQ(support(shared, here), support(shared, {.seed = 1, .round = 2, .sender = 9}));
  EXPECT_NE(support(shared, here), support(shared, {.seed = 1, .round = 9, .sender = 3}));

  PackedTensors two(ManifestOf({{"a", DType::kFloat32, {64}}, {"b", DType::kFloat32, {64}}}));
  for (size_t t = 0; t < 2; ++t) {
    std::memcpy(two.mutable_tensor(t).data(), ones.data(), 64 * sizeof(float));
  }
  BufferPool buffers;
  const auto pipeline = Pipeline({{"randomk", {{"ratio", 0.25}}}});
  const auto sent =
      pipeline->Decode(pipeline->Encode(two, here, buffers)->bytes, two.manifest(), buffers);
  ASSERT_TRUE(sent.ok()) << sent.status();
  EXPECT_NE(Floats(*sent, 0), Floats(*sent, 1));
}

TEST(RandomK, OnlyValuesTravel) {
  BufferPool buffers;
  const auto pipeline = Pipeline({{"randomk", {{"ratio", 0.01}}}, {"fp16"}});
  const auto encoded = pipeline->Encode(Update(Normals(100'000)), {}, buffers);
  ASSERT_TRUE(encoded.ok());
  EXPECT_EQ(encoded->bytes.size() - 2000, pipeline->form().size() + 4 + 1 + 8 + 8 + 2);
}

TEST(RandomK, EveryElementIsAsLikely) {
  constexpr size_t kSize = 20;
  constexpr int kTrials = 20'000;
  std::vector<int> counts(kSize);
  const auto pipeline = Pipeline({{"randomk", {{"ratio", 0.2}}}});
  for (uint64_t trial = 0; trial < kTrials; ++trial) {
    const Values sent = Sent(*pipeline, Values(kSize, 1), {.round = trial});
    for (size_t i = 0; i < kSize; ++i) counts[i] += sent[i] != 0 ? 1 : 0;
  }
  // 0.2 of the trials each, with a deviation of 57.
  for (const int count : counts) EXPECT_NEAR(count, kTrials / 5, 4.5 * 57);
}

}  // namespace
}  // namespace skein
