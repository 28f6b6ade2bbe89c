#include "skein/codec/codec_state.h"

#include <cmath>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "skein/tensor/safetensors.h"
#include "testing/fold_samples.h"
#include "unit/codec/codec_samples.h"

namespace skein {
namespace {

using Values = std::vector<float>;

const std::vector<PartSpec> kTopK = {{"topk", {{"ratio", 0.25}}}};

TEST(CodecState, ChangesOnlyWhenToldSo) {
  const auto pipeline = Pipeline(kTopK);
  CodecState state(Update(Values(4)).manifest());
  EXPECT_EQ(state.Commit().code(), absl::StatusCode::kFailedPrecondition);
  Sent(*pipeline, {4, -3, 2, 1}, {}, &state);
  EXPECT_TRUE(state.pending());
  EXPECT_EQ(Floats(state.errors()), Values(4));

  state.Rollback();
  EXPECT_FALSE(state.pending());
  EXPECT_EQ(Floats(state.errors()), Values(4));
  // Sent again, the same.
  EXPECT_EQ(Sent(*pipeline, {4, -3, 2, 1}, {}, &state), Values({4, 0, 0, 0}));
  EXPECT_TRUE(state.Commit().ok());
  EXPECT_EQ(Floats(state.errors()), Values({0, -3, 2, 1}));
}

TEST(CodecState, OnePayloadIsPendingAtATime) {
  BufferPool buffers;
  const auto pipeline = Pipeline(kTopK);
  const PackedTensors update = Update({4, -3, 2, 1});
  CodecState state(update.manifest());
  EXPECT_EQ(pipeline->Encode(update, {}, buffers).status().code(),
            absl::StatusCode::kFailedPrecondition)
      << "without a state";
  ASSERT_TRUE(pipeline->Encode(update, {}, buffers, &state).ok());
  EXPECT_EQ(pipeline->Encode(update, {}, buffers, &state).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(CodecState, AnErrorLeavesItAsItWas) {
  BufferPool buffers;
  const auto pipeline = Pipeline(kTopK);
  CodecState state(Update(Values(4)).manifest());
  Sent(*pipeline, {4, -3, 2, 1}, {}, &state);
  ASSERT_TRUE(state.Commit().ok());
  EXPECT_EQ(pipeline->Encode(Update({1, 2, NAN, 4}), {}, buffers, &state).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(state.pending());
  EXPECT_EQ(Floats(state.errors()), Values({0, -3, 2, 1}));
}

TEST(CodecState, IsThatOfOneModel) {
  BufferPool buffers;
  CodecState state(Update(Values(4)).manifest());
  const absl::Status status =
      Pipeline(kTopK)->Encode(Update(Values(5, 1)), {}, buffers, &state).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(Message(status).find("\"w\""), std::string::npos) << status;
}

TEST(CodecState, SurvivesAsASafetensorsFile) {
  Rng rng(6);
  const auto manifest = UpdateManifest(testing::MixedManifest());
  ASSERT_TRUE(manifest.ok());
  const PackedTensors first = testing::RandomModel(*manifest, 0.1, rng);
  const PackedTensors second = testing::RandomModel(*manifest, 0.1, rng);
  const auto pipeline = Pipeline({{"topk", {{"ratio", 0.1}}}, {"int8"}});
  BufferPool buffers;
  CodecState state(*manifest);
  ASSERT_TRUE(pipeline->Encode(first, {}, buffers, &state).ok());
  ASSERT_TRUE(state.Commit().ok());

  auto again = CodecState::FromBytes(state.ToBytes(), *manifest);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(testing::SameBytes(again->errors(), state.errors()));
  const auto a = pipeline->Encode(second, {.round = 2}, buffers, &state);
  const auto b = pipeline->Encode(second, {.round = 2}, buffers, &*again);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(PayloadOf(*a), PayloadOf(*b));
  // What is pending is not in it.
  ASSERT_EQ(state.ToBytes(), again->ToBytes());
}

TEST(CodecState, HostileFilesAreRefused) {
  const Manifest manifest = Update(Values(4)).manifest();
  const std::vector<std::byte> good = CodecState(manifest).ToBytes();
  const auto refused = [&](std::vector<std::byte> bytes, const std::string& why) {
    const absl::Status status = CodecState::FromBytes(bytes, manifest).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << why;
    EXPECT_NE(Message(status).find(why), std::string::npos) << status;
  };
  for (size_t size = 0; size < good.size(); ++size) {
    refused({good.begin(), good.begin() + static_cast<ptrdiff_t>(size)}, "kept errors: ");
  }
  refused(CodecState(Update(Values(5)).manifest()).ToBytes(), "\"w\"");
  auto nan = good;
  for (size_t i = nan.size() - 4; i < nan.size(); ++i) nan[i] = std::byte{0xff};
  refused(nan, "tensor 'w' has NaN or Inf at index 3");
  auto absurd = good;
  for (size_t i = 0; i < 8; ++i) absurd[i] = std::byte{0xff};
  refused(absurd, "truncated");
}

}  // namespace
}  // namespace skein
