#include "skein/tensor/chunk_codec.h"

#include <gmock/gmock.h>

#include "skein/base/status.h"
#include "skein/tensor/digest.h"
#include "unit/tensor/tensor_testing.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

PackedTensors Bytes(size_t size, uint64_t seed = 1) {
  Rng rng(seed);
  return RandomTensors(MustCreate({{"t", DType::kUint8, {static_cast<int64_t>(size)}}}), rng);
}

TEST(ChunkCodec, RandomTensorsSurviveAnyChunkSize) {
  Rng rng(2024);
  for (int trial = 0; trial < 200; ++trial) {
    const PackedTensors sent = RandomTensors(RandomManifest(rng), rng);
    ChunkEncoder encoder(sent, 0, 1 + rng.Below(700));
    ChunkDecoder decoder(sent.manifest());
    while (!encoder.done()) {
      const TensorChunk chunk = encoder.Next();
      ASSERT_TRUE(decoder.Add(chunk.offset, chunk.bytes, Checksum(chunk.bytes)).ok());
    }
    ASSERT_TRUE(decoder.done());
    const PackedTensors received = decoder.tensors();
    ASSERT_EQ(received.manifest(), sent.manifest());
    ASSERT_EQ(AsString(received.bytes()), AsString(sent.bytes()));
  }
}

TEST(ChunkCodec, ResumedTransferReturnsToTheChunkGrid) {
  ChunkEncoder encoder(Bytes(1000), 130, 256);
  std::vector<std::pair<uint64_t, size_t>> cuts;
  while (!encoder.done()) {
    const TensorChunk chunk = encoder.Next();
    cuts.emplace_back(chunk.offset, chunk.bytes.size());
  }
  const std::vector<std::pair<uint64_t, size_t>> expected = {
      {130, 126}, {256, 256}, {512, 256}, {768, 232}};
  EXPECT_EQ(cuts, expected);
}

TEST(ChunkCodec, NothingIsSentFromTheEndOn) {
  EXPECT_TRUE(ChunkEncoder(Bytes(10), 10).done());
  EXPECT_TRUE(ChunkEncoder(Bytes(10), uint64_t{1} << 60).done());
  EXPECT_TRUE(ChunkEncoder(PackedTensors(Manifest())).done());
  EXPECT_TRUE(ChunkDecoder(Manifest()).done());
}

TEST(ChunkCodec, ChunkRefersToTheBlockAndKeepsItAlive) {
  TensorChunk chunk;
  {
    const PackedTensors tensors = Bytes(100);
    chunk = ChunkEncoder(tensors, 0, 64).Next();
    EXPECT_EQ(chunk.bytes.data(), tensors.bytes().data());
  }
}

TEST(ChunkCodec, CorruptChunkIsRefusedAndTheTransferResumes) {
  const PackedTensors sent = Bytes(1000);
  ChunkDecoder decoder(sent.manifest());
  ChunkEncoder encoder(sent, 0, 300);
  const TensorChunk first = encoder.Next();
  ASSERT_TRUE(decoder.Add(first.offset, first.bytes, Checksum(first.bytes)).ok());

  const TensorChunk second = encoder.Next();
  for (size_t bit = 0; bit < second.bytes.size() * 8; bit += 97) {
    std::vector<std::byte> corrupt(second.bytes.begin(), second.bytes.end());
    corrupt[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    const absl::Status status = decoder.Add(second.offset, corrupt, Checksum(second.bytes));
    ASSERT_TRUE(absl::IsDataLoss(status));
    ASSERT_THAT(Message(status), HasSubstr("byte 300 (tensor \"t\") does not match its checksum"));
  }
  EXPECT_EQ(decoder.received(), 300u);

  ChunkEncoder resumed(sent, decoder.received(), 450);
  while (!resumed.done()) {
    const TensorChunk chunk = resumed.Next();
    ASSERT_TRUE(decoder.Add(chunk.offset, chunk.bytes, Checksum(chunk.bytes)).ok());
  }
  EXPECT_EQ(AsString(decoder.tensors().bytes()), AsString(sent.bytes()));
}

TEST(ChunkCodec, ErrorsNameTheTensor) {
  ChunkDecoder decoder(MustCreate(
      {{"a", DType::kUint8, {300}}, {"none", DType::kFloat32, {0}}, {"b", DType::kFloat32, {50}}}));
  const auto refusal = [&](uint64_t offset, size_t size) {
    const std::vector<std::byte> bytes(size);
    return std::string(Message(decoder.Add(offset, bytes, Checksum(bytes) + (offset == 0))));
  };
  EXPECT_THAT(refusal(0, 10), HasSubstr("byte 0 (tensor \"a\") does not match its checksum"));
  EXPECT_THAT(refusal(299, 1), HasSubstr("byte 299 (tensor \"a\"), expected byte 0"));
  EXPECT_THAT(refusal(300, 1), HasSubstr("byte 300 (tensor \"b\"), expected byte 0"));
  EXPECT_THAT(refusal(499, 1), HasSubstr("byte 499 (tensor \"b\"), expected byte 0"));
  EXPECT_THAT(refusal(500, 1), HasSubstr("byte 500, expected byte 0")) << "beyond all of them";
  EXPECT_THAT(refusal(0, 501), HasSubstr("(tensor \"a\") has 501 bytes, 500 are left"));
  EXPECT_EQ(decoder.received(), 0u);
}

TEST(ChunkCodec, ChunkThatDoesNotContinueIsRefused) {
  const PackedTensors sent = Bytes(1000);
  ChunkDecoder decoder(sent.manifest());
  const auto add = [&](uint64_t offset, std::span<const std::byte> bytes) {
    return decoder.Add(offset, bytes, Checksum(bytes));
  };
  ASSERT_TRUE(add(0, sent.bytes().first(400)).ok());
  for (const uint64_t offset : {uint64_t{0}, uint64_t{399}, uint64_t{401}, ~uint64_t{0}}) {
    EXPECT_TRUE(absl::IsDataLoss(add(offset, sent.bytes().first(10)))) << offset;
  }
  EXPECT_TRUE(absl::IsDataLoss(add(400, Bytes(601).bytes())));
  EXPECT_TRUE(absl::IsDataLoss(add(400, {})));
  EXPECT_EQ(decoder.received(), 400u);
  EXPECT_TRUE(add(400, sent.bytes().subspan(400)).ok());
  EXPECT_TRUE(decoder.done());
  EXPECT_TRUE(absl::IsDataLoss(add(1000, sent.bytes().first(1))));
}

}  // namespace
}  // namespace skein
