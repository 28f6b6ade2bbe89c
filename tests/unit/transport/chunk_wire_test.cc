#include "transport/chunk_wire.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "skein/v1/data_plane.pb.h"
#include "transport/frame_proto.h"

namespace skein {
namespace {

std::span<const std::byte> BytesOf(const std::string& text) {
  return std::as_bytes(std::span(text));
}

ChunkFrame ChunkOf(uint64_t transfer, uint64_t offset, uint64_t checksum, const std::string& data) {
  return {transfer, offset, checksum, BytesOf(data), nullptr};
}

std::optional<WireChunk> ParseWhole(const std::string& message) {
  const std::span<const std::byte> pieces[] = {BytesOf(message)};
  auto chunk = ParseChunk(pieces);
  if (chunk) {
    std::string payload;
    for (const auto& piece : chunk->payload) {
      payload.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    }
    EXPECT_EQ(payload.size(), chunk->payload_bytes);
  }
  return chunk;
}

TEST(ChunkWire, WritesWhatProtobufWrites) {
  const std::string data(300, 'x');
  for (const uint64_t transfer : {0ull, 1ull, 127ull, 128ull, ~0ull}) {
    for (const uint64_t offset : {0ull, 5ull, 1ull << 20, 1ull << 41}) {
      for (const uint64_t checksum : {0ull, 1ull, ~0ull}) {
        for (const std::string& payload : {data, std::string(), std::string("y")}) {
          const ChunkFrame chunk = ChunkOf(transfer, offset, checksum, payload);
          EXPECT_EQ(ChunkPrefix(chunk) + payload, FrameToProto(chunk).SerializeAsString());
        }
      }
    }
  }
}

TEST(ChunkWire, ReadsAMessageHoweverItIsCut) {
  std::string data(5000, 0);
  std::mt19937 random(7);
  for (char& c : data) c = static_cast<char>(random());
  const std::string message = ChunkPrefix(ChunkOf(300, 1 << 20, 0x0123456789abcdef, data)) + data;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::span<const std::byte>> pieces;
    const auto bytes = BytesOf(message);
    for (size_t at = 0; at < bytes.size();) {
      const size_t most = round % 2 == 0 ? 9 : 3000;  // the first cuts through the prefix
      const size_t size = std::min<size_t>(random() % most, bytes.size() - at);
      pieces.push_back(bytes.subspan(at, size));
      at += size;
    }
    const auto chunk = ParseChunk(pieces);
    ASSERT_TRUE(chunk.has_value());
    EXPECT_EQ(chunk->transfer, 300u);
    EXPECT_EQ(chunk->offset, 1u << 20);
    EXPECT_EQ(chunk->checksum, 0x0123456789abcdefu);
    std::string payload;
    for (const auto& piece : chunk->payload) {
      payload.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    }
    EXPECT_EQ(payload, data);
  }
}

TEST(ChunkWire, LeavesOtherFramesToProtobuf) {
  v1::Frame frame;
  frame.mutable_grant()->set_transfer(3);
  EXPECT_FALSE(ParseWhole(frame.SerializeAsString()));
  EXPECT_FALSE(ParseWhole(""));
}

TEST(ChunkWire, LeavesOddWritingToProtobuf) {
  v1::Frame frame;
  frame.mutable_chunk()->set_transfer(3);
  frame.mutable_chunk()->set_data("abc");
  const std::string good = frame.SerializeAsString();
  ASSERT_TRUE(ParseWhole(good));
  EXPECT_FALSE(ParseWhole(good + good));                                 // merged by protobuf
  EXPECT_FALSE(ParseWhole(std::string("\x32\x04\x08\x03\x08\x04", 6)));  // a field twice
  EXPECT_FALSE(ParseWhole(std::string("\x32\x02\x28\x03", 4)));          // unknown field
}

TEST(ChunkWire, RefusesEveryTruncationAndOverlongLengths) {
  const std::string data = "payload";
  const std::string message = ChunkPrefix(ChunkOf(1, 2, 3, data)) + data;
  for (size_t size = 0; size < message.size(); ++size) {
    EXPECT_FALSE(ParseWhole(message.substr(0, size))) << size;
  }
  EXPECT_FALSE(ParseWhole(message + 'x'));
  // A payload that claims more than there is; a varint without end, and one beyond 64 bits.
  EXPECT_FALSE(
      ParseWhole(std::string("\x32\x03\x22\x7f"
                             "a",
                             5)));
  EXPECT_FALSE(ParseWhole("\x32\x0b\x08" + std::string(10, '\xff')));
  EXPECT_FALSE(ParseWhole("\x32\x0b\x08" + std::string(9, '\xff') + "\x7f"));
}

TEST(ChunkWire, AgreesWithProtobufOnDamagedMessages) {
  std::mt19937 random(11);
  const std::string data(40, 'd');
  const std::string good = ChunkPrefix(ChunkOf(77, 1234, 99, data)) + data;
  int parsed = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string message = good;
    message[random() % 20] = static_cast<char>(random());
    const auto chunk = ParseWhole(message);
    if (!chunk) continue;
    ++parsed;
    v1::Frame frame;
    ASSERT_TRUE(frame.ParseFromString(message));
    ASSERT_TRUE(frame.has_chunk());
    EXPECT_EQ(frame.chunk().transfer(), chunk->transfer);
    EXPECT_EQ(frame.chunk().offset(), chunk->offset);
    EXPECT_EQ(frame.chunk().checksum(), chunk->checksum);
    EXPECT_EQ(frame.chunk().data().size(), chunk->payload_bytes);
  }
  EXPECT_GT(parsed, 100);
}

}  // namespace
}  // namespace skein
