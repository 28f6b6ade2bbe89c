#include "codec/qsgd/qsgd.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "codec/qsgd/qsgd_kernels.h"
#include "skein/base/random.h"
#include "unit/codec/codec_samples.h"

namespace skein {
namespace {

std::vector<float> Quantized(const Quantizer& quantizer, const std::vector<float>& values,
                             uint64_t key) {
  std::vector<std::byte> bytes(quantizer.Bytes(values.size()));
  quantizer.Encode(values, 0, CodecRandom(key), bytes);
  std::vector<float> decoded(values.size());
  quantizer.Decode(bytes, decoded);
  return decoded;
}

std::vector<float> Normals(size_t n, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(rng.Normal());
  return values;
}

double SquaredNorm(const std::vector<float>& values) {
  double sum = 0;
  for (const double v : values) sum += v * v;
  return sum;
}

TEST(Qsgd, RoundsThePapersExampleToTheLevelsBesideIt) {
  // v = (3, -4), s = 4: 2.5 or 3.75 with probabilities .6 and .4, -3.75 or -5 with .8 and .2.
  const auto quantizer = MakeQsgd({.name = "q", .levels = 4, .norm = QsgdOptions::Norm::kL2});
  constexpr int kTrials = 200'000;
  int low[2] = {};
  double mean[2] = {}, variance = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const auto q = Quantized(*quantizer, {3, -4}, DeriveSeed(5, {static_cast<uint64_t>(trial)}));
    ASSERT_TRUE(q[0] == 2.5f || q[0] == 3.75f) << q[0];
    ASSERT_TRUE(q[1] == -3.75f || q[1] == -5.0f) << q[1];
    low[0] += q[0] == 2.5f ? 1 : 0;
    low[1] += q[1] == -3.75f ? 1 : 0;
    for (int i = 0; i < 2; ++i) mean[i] += q[i] / kTrials;
    variance += (std::pow(q[0] - 3, 2) + std::pow(q[1] + 4, 2)) / kTrials;
  }
  // Five standard deviations.
  EXPECT_NEAR(low[0] / double{kTrials}, 0.6, 0.0055);
  EXPECT_NEAR(low[1] / double{kTrials}, 0.8, 0.0045);
  EXPECT_NEAR(mean[0], 3, 0.007);
  EXPECT_NEAR(mean[1], -4, 0.006);
  EXPECT_NEAR(variance, 0.625, 0.01);
}

struct Setting {
  int bits;
  QsgdOptions::Norm norm;
};
class QsgdStatistics : public ::testing::TestWithParam<Setting> {
 protected:
  QsgdOptions Options() const {
    return {.name = "q",
            .bits = GetParam().bits,
            .levels = (1 << (GetParam().bits - 1)) - 1,
            .norm = GetParam().norm};
  }
};

TEST_P(QsgdStatistics, IsUnbiasedAndKeepsThePapersBound) {
  const QsgdOptions options = Options();
  const auto quantizer = MakeQsgd(options);
  const std::vector<float> values = Normals(options.bucket, 11);
  const double n = static_cast<double>(options.bucket), s = options.levels;
  constexpr int kTrials = 4000;
  std::vector<double> sum(values.size()), squares(values.size());
  double total = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const auto q = Quantized(*quantizer, values, DeriveSeed(7, {static_cast<uint64_t>(trial)}));
    for (size_t i = 0; i < q.size(); ++i) {
      const double error = double{q[i]} - values[i];
      sum[i] += error;
      squares[i] += error * error;
      total += error * error / kTrials;
    }
  }
  const double bound = std::min(n / (s * s), std::sqrt(n) / s) * SquaredNorm(values);
  EXPECT_LE(total, bound * 1.02);
  double z_sum = 0, z_squares = 0, worst = 0;
  int counted = 0;
  const double norm =
      GetParam().norm == QsgdOptions::Norm::kMax ? MaxMagnitudeOf(values) : NormOf(values);
  for (size_t i = 0; i < sum.size(); ++i) {
    // The theory's variance. One that is always on the same level is off by float32's rounding.
    const double ratio = std::abs(values[i]) * s / norm, up = ratio - std::floor(ratio);
    const double variance = up * (1 - up) * std::pow(norm / s, 2);
    EXPECT_LE(std::abs(sum[i]) / kTrials,
              5 * std::sqrt(variance / kTrials) + std::abs(values[i]) * 0x1p-22);
    if (up < 0.05 || up > 0.95) continue;
    EXPECT_NEAR(squares[i] / kTrials, variance, 0.4 * variance);
    const double z = sum[i] / std::sqrt(kTrials * variance);
    z_sum += z;
    z_squares += z * z;
    worst = std::max(worst, std::abs(z));
    ++counted;
  }
  ASSERT_GT(counted, 400);
  EXPECT_LT(worst, 5);                                   // of 512, a chance of 0.03 %
  EXPECT_LT(std::abs(z_sum) / std::sqrt(counted), 3.5);  // no common direction
  EXPECT_NEAR(z_squares / counted, 1, 0.25);             // spread as of independent draws
}

INSTANTIATE_TEST_SUITE_P(Qsgd, QsgdStatistics,
                         ::testing::Values(Setting{8, QsgdOptions::Norm::kMax},
                                           Setting{8, QsgdOptions::Norm::kL2},
                                           Setting{4, QsgdOptions::Norm::kMax},
                                           Setting{4, QsgdOptions::Norm::kL2}));

TEST(Qsgd, AMeanOfManySendersNears) {
  // What rounding to nearest would lose for ever: a value of a third of a step, at every sender.
  constexpr int kSenders = 4000;
  double mean = 0, nearest = 0;
  const auto stochastic = Pipeline({{"int4"}});
  const auto rounded = Pipeline({{"int4", {{"rounding", "nearest"}}}});
  for (uint64_t sender = 0; sender < kSenders; ++sender) {
    mean += Sent(*stochastic, {7, 1.0f / 3}, {.sender = sender})[1] / kSenders;
    nearest += Sent(*rounded, {7, 1.0f / 3}, {.sender = sender})[1] / kSenders;
  }
  EXPECT_NEAR(mean, 1.0 / 3, 0.04);
  EXPECT_EQ(nearest, 0);
}

TEST(Qsgd, NoErrorReachesAStepAndNearestHalvesIt) {
  const std::vector<float> values = Normals(5000, 3);
  for (const char* name : {"int8", "int4"}) {
    const float levels = std::string(name) == "int8" ? 127 : 7;
    for (const bool nearest : {false, true}) {
      const auto sent =
          Sent(*Pipeline({{name, {{"rounding", nearest ? "nearest" : "stochastic"}}}}), values);
      for (size_t at = 0; at < values.size(); at += 512) {
        const size_t end = std::min(values.size(), at + 512);
        float most = 0;
        for (size_t i = at; i < end; ++i) most = std::max(most, std::abs(values[i]));
        for (size_t i = at; i < end; ++i) {
          ASSERT_LE(std::abs(sent[i] - values[i]), most / levels * (nearest ? 0.50001f : 1.00001f));
        }
      }
    }
  }
}

TEST(Qsgd, ZerosStayZerosAndTheLargestStays) {
  std::vector<float> values(1100);
  values[3] = -0.75f;
  for (const char* name : {"int8", "int4"}) {
    std::vector<float> sent = Sent(*Pipeline({{name}}), values);
    EXPECT_FLOAT_EQ(sent[3], values[3]) << name;  // a level times a step that is rounded
    sent[3] = values[3];
    EXPECT_EQ(sent, values);
  }
}

TEST(Qsgd, DenormalsAreFinite) {
  const std::vector<float> values = {1e-45f, -3e-45f, 1e-44f, 0, 1e-40f};
  for (const auto* norm : {"max", "l2"}) {
    const auto sent = Sent(*Pipeline({{"int8", {{"norm", norm}}}}), values);
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_LE(std::abs(double{sent[i]} - values[i]), 2e-42) << norm << " " << i;
    }
  }
  // As many as levels or fewer: exact multiples of the least float.
  const std::vector<float> least = {1e-45f, -3e-45f, 1e-44f};
  EXPECT_EQ(Sent(*Pipeline({{"int8"}}), least), least);
}

TEST(Qsgd, LargeValuesAreRefusedBeforeANormOverflows) {
  BufferPool buffers;
  const auto pipeline = Pipeline({{"int8", {{"norm", "l2"}}}});
  EXPECT_EQ(pipeline->Encode(Update({1e38f}), {}, buffers).status().code(),
            absl::StatusCode::kInvalidArgument);
  const auto sent = Sent(*pipeline, std::vector<float>(512, 1e30f));
  for (const float v : sent) EXPECT_TRUE(std::isfinite(v));
}

TEST(Qsgd, WhatIsDrawnDependsOnThePositionAlone) {
  const auto quantizer = MakeQsgd({.name = "q", .bits = 4, .levels = 7, .bucket = 3});
  const std::vector<float> values = Normals(90, 4);
  std::vector<std::byte> whole(quantizer->Bytes(90)), pieces(quantizer->Bytes(90));
  const CodecRandom random(9);
  quantizer->Encode(values, 0, random, whole);
  for (size_t at = 0; at < 90; at += 9) {
    quantizer->Encode(std::span(values).subspan(at, 9), at, random,
                      std::span(pieces).subspan(quantizer->Bytes(at), quantizer->Bytes(9)));
  }
  EXPECT_EQ(whole, pieces);
}

TEST(Qsgd, EveryNibbleComesBack) {
  for (const size_t count : {15, 14}) {
    std::vector<int8_t> levels;
    for (size_t i = 0; i < count; ++i)
      levels.push_back(static_cast<int8_t>(static_cast<int>(i) - 7));
    std::vector<std::byte> bytes((count + 1) / 2);
    PackNibbles(levels, bytes);
    std::vector<int8_t> back(count);
    UnpackNibbles(bytes, back);
    EXPECT_EQ(back, levels);
  }
  EXPECT_EQ(MakeQsgd({.name = "q", .bits = 4, .levels = 7})->Bytes(513), 4 + 256 + 4 + 1);
}

}  // namespace
}  // namespace skein
