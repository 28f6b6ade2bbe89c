#include "codec/half/half_kernels.h"

#include <cfloat>
#include <cmath>
#include <limits>
#include <utility>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "strategy/elements.h"
#include "unit/codec/codec_samples.h"

namespace skein {
namespace {

TEST(QuickBFloat16, RoundsToNearestEven) {
  const std::pair<float, uint16_t> vectors[] = {
      {1.0f, 0x3f80},          {3.14159274f, 0x4049}, {1.00390625f, 0x3f80}, {1.005859375f, 0x3f81},
      {1.01171875f, 0x3f82},   {65535.0f, 0x4780},    {0.1f, 0x3dcd},        {-0.1f, 0xbdcd},
      {3.3895314e38f, 0x7f7f}, {FLT_MAX, 0x7f80},     {1e-40f, 0x0001},      {INFINITY, 0x7f80}};
  for (const auto& [value, bits] : vectors) EXPECT_EQ(QuickBFloat16(value), bits) << value;
}

TEST(QuickHalf, RoundsToNearestEven) {
  const std::pair<float, uint16_t> vectors[] = {
      {65504.0f, 0x7bff},      {65519.99f, 0x7bff},     {65520.0f, 0x7c00}, {5.9604645e-8f, 0x0001},
      {2.9802322e-8f, 0x0000}, {2.9802326e-8f, 0x0001}, {1.0f / 3, 0x3555}, {0.1f, 0x2e66},
      {1 + 0x1p-11f, 0x3c00},  {1 + 0x3p-11f, 0x3c02},  {-0.0f, 0x8000},    {INFINITY, 0x7c00}};
  for (const auto& [value, bits] : vectors) EXPECT_EQ(QuickHalf(value), bits) << value;
}

TEST(QuickHalf, IsTheSlowOneForEveryPatternAndBetweenThem) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = FloatFromHalf(half);
    const float quick = QuickFloat(half);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(quick)) << bits;
      continue;
    }
    ASSERT_EQ(std::bit_cast<uint32_t>(quick), std::bit_cast<uint32_t>(value)) << bits;
    ASSERT_EQ(QuickHalf(value), half);
    if (std::isinf(value)) continue;
    const float middle = (value + FloatFromHalf(half + 1)) / 2;
    for (const float near : {middle, std::nextafter(middle, -1e9f), std::nextafter(middle, 1e9f)}) {
      if (!std::isfinite(near)) continue;
      ASSERT_EQ(QuickHalf(near), HalfFromFloat(near)) << near;
    }
  }
}

TEST(QuickHalf, IsTheSlowOneForRandomFloats) {
  Rng rng(1);
  for (int i = 0; i < 2'000'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<uint32_t>(rng.Next()));
    if (std::isnan(value)) continue;
    ASSERT_EQ(QuickHalf(value), HalfFromFloat(value)) << value;
    ASSERT_EQ(QuickBFloat16(value), BFloat16FromFloat(value)) << value;
  }
}

TEST(HalfCodec, EveryFinitePatternComesBack) {
  for (const bool brain : {false, true}) {
    std::vector<float> values;
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      const auto half = static_cast<uint16_t>(bits);
      const float value = brain ? FloatFromBFloat16(half) : FloatFromHalf(half);
      if (std::isfinite(value)) values.push_back(value);
    }
    const auto sent = Sent(*Pipeline({{brain ? "bf16" : "fp16"}}), values);
    ASSERT_EQ(sent.size(), values.size());
    EXPECT_EQ(std::memcmp(sent.data(), values.data(), values.size() * sizeof(float)), 0);
  }
}

TEST(HalfCodec, RefusesWhatWouldBecomeInfinityOrClampsIt) {
  BufferPool buffers;
  const struct {
    const char* name;
    float last, beyond, most;
  } kinds[] = {{"fp16", 65519.99f, 65520.0f, 65504.0f},
               {"bf16", 3.3895314e38f, FLT_MAX, std::bit_cast<float>(0x7f7f0000u)}};
  for (const auto& kind : kinds) {
    EXPECT_EQ(Sent(*Pipeline({{kind.name}}), {kind.last}), std::vector<float>{kind.most});
    const auto refused =
        Pipeline({{kind.name}})->Encode(Update({1, -kind.beyond}), {}, buffers).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(Message(refused).find("tensor 'w' has -"), std::string::npos) << refused;
    EXPECT_NE(Message(refused).find("at index 1, "), std::string::npos) << refused;
    EXPECT_EQ(Sent(*Pipeline({{kind.name, {{"clamp", true}}}}), {kind.beyond, -kind.beyond}),
              (std::vector<float>{kind.most, -kind.most}));
  }
}

}  // namespace
}  // namespace skein
