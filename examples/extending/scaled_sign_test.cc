#include "scaled_sign.h"

#include <algorithm>
#include <cmath>

#include <skein/builtins/codecs.h>
#include <skein/testing/codec_conformance.h>

namespace {

std::shared_ptr<const skein::CodecPipeline> Pipeline(const std::vector<skein::PartSpec>& parts) {
  skein::CodecRegistry codecs("codec");
  skein::RegisterBuiltinCodecs(codecs);
  EXPECT_TRUE(RegisterScaledSign(codecs).ok());
  return *skein::MakePipeline(codecs, parts);
}

// A mean magnitude is no larger than the largest: nothing is off by more than twice that.
double TwiceTheLargest(std::span<const float> values) {
  double most = 0;
  for (const double v : values) most = std::max(most, std::abs(v));
  return 2 * most;
}

const skein::testing::CodecCase kMine[] = {
    {"ScaledSign", [] { return Pipeline({{"scaled-sign"}}); }, TwiceTheLargest},
    {"AfterTopK",
     [] {
       return Pipeline({{"topk", {{"ratio", 0.1}}}, {"scaled-sign", {{"block", 100}}}, {"zstd"}});
     },
     TwiceTheLargest},
};

TEST(ScaledSign, SendsTheMeanMagnitudeAndTheSigns) {
  const auto pipeline = Pipeline({{"scaled-sign"}});
  skein::PackedTensors update(*skein::Manifest::Create({{"w", skein::DType::kFloat32, {4}}}));
  const float values[] = {1, -2, 5, -4};
  std::copy_n(reinterpret_cast<const std::byte*>(values), sizeof(values),
              update.mutable_bytes().begin());
  skein::BufferPool buffers;
  skein::CodecState owed(update.manifest());
  const auto encoded = pipeline->Encode(update, {}, buffers, &owed);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  const auto decoded = pipeline->Decode(encoded->bytes, update.manifest(), buffers);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const float received[] = {3, -3, 3, -3};
  EXPECT_TRUE(std::ranges::equal(decoded->bytes(), std::as_bytes(std::span(received))));
  ASSERT_TRUE(owed.Commit().ok());
  const float lost[] = {-2, 1, 2, -1};
  EXPECT_TRUE(std::ranges::equal(owed.errors().bytes(), std::as_bytes(std::span(lost))));
}

}  // namespace

namespace skein::testing {
INSTANTIATE_TEST_SUITE_P(Mine, CodecConformance, ::testing::ValuesIn(kMine));
INSTANTIATE_TEST_SUITE_P(Mine, ErrorFeedbackConformance, ::testing::ValuesIn(kMine));
}  // namespace skein::testing
