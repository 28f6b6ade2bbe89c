#include "runtime/update_encoder.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/codec/codec_samples.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const CodecContext kSender{.seed = 3, .sender = 1};

class UpdateEncoderTest : public ::testing::Test {
 protected:
  UpdateEncoder Encoder(const std::vector<PartSpec>& codecs, const std::string& path = "") {
    pipeline_ = codecs.empty() ? nullptr : Pipeline(codecs);
    return UpdateEncoder(pipeline_, kSender, path, std::make_shared<BufferPool>());
  }
  // What the parent makes of it.
  std::vector<float> Decoded(const OutboundTensors& sent) {
    BufferPool buffers;
    return Floats(*pipeline_->Decode(sent.tensors().bytes(), sent.manifest(), buffers));
  }
  std::vector<float> Encode(UpdateEncoder& encoder, Seq seq, const std::vector<float>& values) {
    const auto sent = encoder.Encode(seq, Update(values));
    EXPECT_TRUE(sent.ok()) << sent.status();
    return sent.ok() ? Decoded(*sent) : std::vector<float>();
  }

  TempDir temp_;
  std::shared_ptr<const CodecPipeline> pipeline_;
};

const PartSpec kOneOfTwo{"topk", {{"ratio", 0.5}}};

TEST_F(UpdateEncoderTest, WithoutCodecsUpdatesGoAsTheyAre) {
  UpdateEncoder encoder = Encoder({});
  const PackedTensors update = Update({1, 2});
  const auto sent = encoder.Encode(1, update);
  ASSERT_TRUE(sent.ok());
  EXPECT_FALSE(sent->encoding().has_value());
  EXPECT_EQ(sent->tensors().bytes().data(), update.bytes().data());
  EXPECT_TRUE(encoder.Settle(1, true).ok());
}

TEST_F(UpdateEncoderTest, OffersThePayloadForTheUpdate) {
  UpdateEncoder encoder = Encoder({{"int8"}});
  const auto sent = encoder.Encode(1, Update({1, 2}));
  ASSERT_TRUE(sent.ok());
  ASSERT_TRUE(sent->encoding().has_value());
  EXPECT_EQ(sent->encoding()->form, "int8(512)");
  EXPECT_EQ(sent->encoding()->bytes, sent->tensors().bytes().size());
  EXPECT_EQ(sent->manifest(), Update({1, 2}).manifest());
  EXPECT_NEAR(Decoded(*sent)[1], 2, 0.02);
}

// The same task once more, in another life of the worker, is the same payload.
TEST_F(UpdateEncoderTest, ATaskIsEncodedAgainAsBefore) {
  std::vector<float> values(100, 0.3f);
  values[0] = 1;
  UpdateEncoder one = Encoder({{"int4"}});
  UpdateEncoder two = Encoder({{"int4"}});
  EXPECT_EQ(Encode(one, 7, values), Encode(two, 7, values));
  EXPECT_NE(Encode(one, 8, values), Encode(one, 7, values));
}

TEST_F(UpdateEncoderTest, WhatIsLostIsOwedOnceTheUpdateCounts) {
  UpdateEncoder encoder = Encoder({kOneOfTwo});
  EXPECT_THAT(Encode(encoder, 1, {4, 3}), ElementsAre(4, 0));
  ASSERT_TRUE(encoder.Settle(1, true).ok());
  EXPECT_THAT(Encode(encoder, 2, {4, 3}), ElementsAre(0, 6));
  ASSERT_TRUE(encoder.Settle(2, false).ok());
  EXPECT_THAT(Encode(encoder, 3, {1, 0}), ElementsAre(0, 3)) << "as if 2 had not been";
}

TEST_F(UpdateEncoderTest, WhatIsOwedOutlivesTheWorker) {
  const std::string path = CodecErrorsPath(temp_ / "state", "run-1", "w0");
  EXPECT_THAT(path, HasSubstr("run-1/codec-errors/w0.safetensors"));
  {
    UpdateEncoder encoder = Encoder({kOneOfTwo}, path);
    Encode(encoder, 1, {4, 3});
    ASSERT_TRUE(encoder.Settle(1, true).ok());
    Encode(encoder, 2, {9, 8});  // never heard of again
  }
  UpdateEncoder encoder = Encoder({kOneOfTwo}, path);
  EXPECT_THAT(Encode(encoder, 2, {4, 3}), ElementsAre(0, 6));
}

TEST_F(UpdateEncoderTest, ADamagedFileIsNotTheUpdatesFault) {
  const std::string path = CodecErrorsPath(temp_ / "state", "run-1", "w0");
  UpdateEncoder encoder = Encoder({kOneOfTwo}, path);
  Encode(encoder, 1, {4, 3});
  ASSERT_TRUE(encoder.Settle(1, true).ok());
  std::ofstream(path, std::ios::trunc) << "no such file";
  const absl::Status status = encoder.Encode(2, Update({4, 3})).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr(path));
}

TEST_F(UpdateEncoderTest, AFileOfAnotherModelIsNamed) {
  const std::string path = CodecErrorsPath(temp_ / "state", "run-1", "w0");
  UpdateEncoder encoder = Encoder({kOneOfTwo}, path);
  Encode(encoder, 1, {4, 3, 2});
  ASSERT_TRUE(encoder.Settle(1, true).ok());
  const absl::Status status = encoder.Encode(2, Update({4, 3})).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr(path));
  EXPECT_THAT(Message(status), HasSubstr("remove the file"));
}

TEST_F(UpdateEncoderTest, NamesWhatCannotBeSent) {
  UpdateEncoder encoder = Encoder({kOneOfTwo});
  const absl::Status status =
      encoder.Encode(1, Update({1, std::numeric_limits<float>::quiet_NaN()})).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("'w'"));
  EXPECT_THAT(Message(status), HasSubstr("1"));
  EXPECT_THAT(Encode(encoder, 2, {4, 3}), ElementsAre(4, 0));
}

}  // namespace
}  // namespace skein
