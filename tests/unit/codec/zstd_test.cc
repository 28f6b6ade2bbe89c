#include <zstd.h>

#include <algorithm>

#include <gtest/gtest.h>

#include "unit/codec/codec_samples.h"

namespace skein {
namespace {

std::shared_ptr<const Codec> ZstdCodec(int level = 3) {
  return *BuiltinCodecs().Create({"zstd", {{"level", level}}});
}

const Compressor& AsCompressor(const Codec& codec) { return static_cast<const Compressor&>(codec); }

std::vector<std::byte> Frame(const std::vector<std::byte>& content, bool says_size = true) {
  std::vector<std::byte> frame(ZSTD_compressBound(content.size()));
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, says_size ? 1 : 0);
  frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), content.data(), content.size()));
  ZSTD_freeCCtx(context);
  return frame;
}

absl::Status Read(const std::vector<std::byte>& frame, size_t size) {
  std::vector<std::byte> out(size);
  const auto codec = ZstdCodec();
  return AsCompressor(*codec).Decompress(frame, out);
}

const std::vector<std::byte> kZeros(1000);

TEST(Zstd, EveryLevelIsReadByAny) {
  const std::vector<float> values(5000, 0.25f);
  for (const int level : {1, 3, 19}) {
    BufferPool buffers;
    const auto sender = Pipeline({{"fp16"}, {"zstd", {{"level", level}}}});
    const auto encoded = sender->Encode(Update(values), {}, buffers);
    ASSERT_TRUE(encoded.ok());
    EXPECT_LT(encoded->bytes.size(), 200u);
    const auto decoded =
        Pipeline({{"fp16"}, {"zstd"}})->Decode(encoded->bytes, Update(values).manifest(), buffers);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(Floats(*decoded), values);
  }
}

TEST(Zstd, WhatDoesNotGetShorterIsStored) {
  std::vector<float> values(1000);
  uint32_t bits = 1;
  for (float& v : values) {
    bits = bits * 1664525u + 1013904223u;
    const uint32_t finite = bits & 0xbfffffff;
    std::memcpy(&v, &finite, sizeof(v));
  }
  EXPECT_EQ(Sent(*Pipeline({{"zstd"}}), values), values);
}

TEST(Zstd, AFrameMustHaveTheSizeThatIsExpected) {
  EXPECT_TRUE(Read(Frame(kZeros), 1000).ok());
  for (const size_t size : {size_t{999}, size_t{1001}, size_t{0}}) {
    const absl::Status status = Read(Frame(kZeros), size);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(Message(status).find("1000 bytes of content"), std::string::npos) << status;
  }
}

TEST(Zstd, HostileFramesAreRefused) {
  const auto refused = [](const std::vector<std::byte>& frame, const std::string& why) {
    const absl::Status status = Read(frame, 1000);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << why;
    EXPECT_NE(Message(status).find(why), std::string::npos) << status;
  };
  refused({}, "is none");
  refused(std::vector<std::byte>(20, std::byte{'x'}), "is none");
  refused(Frame(kZeros, false), "does not say how large");
  auto frame = Frame(kZeros);
  frame.pop_back();
  refused(frame, "cut short");
  frame = Frame(kZeros);
  frame.push_back(std::byte{0});
  refused(frame, "followed by something else");
  frame = Frame(kZeros);
  const auto second = Frame(kZeros);
  frame.insert(frame.end(), second.begin(), second.end());
  refused(frame, "followed by something else");
  // A frame that says more than it has: another's head on another's blocks.
  std::vector<std::byte> text(1000);
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::byte>(i * i % 251);
  frame = Frame(text);
  for (size_t i = frame.size() / 2; i < frame.size(); ++i) frame[i] ^= std::byte{0x5a};
  const absl::StatusCode code = Read(frame, 1000).code();
  EXPECT_TRUE(code == absl::StatusCode::kOk || code == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace skein
