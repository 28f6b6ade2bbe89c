#include "codec/support.h"

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "skein/base/status.h"

namespace skein {
namespace {

using Positions = std::vector<uint32_t>;

std::vector<std::byte> Written(uint64_t n, const Positions& positions) {
  std::vector<std::byte> bytes(64 + n);
  ByteWriter out(bytes);
  WriteSupport(n, positions, out);
  bytes.resize(out.size());
  return bytes;
}

absl::StatusOr<Positions> Read(uint64_t n, uint64_t kept, const std::vector<std::byte>& bytes) {
  ByteReader in(bytes);
  auto positions = ReadSupport(n, kept, in);
  EXPECT_TRUE(!positions.ok() || in.done());
  return positions;
}

std::vector<std::byte> Bytes(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

TEST(Support, ComesBackWithinItsBound) {
  Rng rng(1);
  for (int trial = 0; trial < 400; ++trial) {
    const uint64_t n = 1 + rng.Below(trial % 2 == 0 ? 40 : 5000);
    const uint64_t share = 1 + rng.Below(100);
    Positions positions;
    for (uint32_t i = 0; i < n; ++i) {
      if (rng.Below(100) < share) positions.push_back(i);
    }
    const auto bytes = Written(n, positions);
    EXPECT_LE(bytes.size(), MaxSupportBytes(n, positions.size()));
    const auto back = Read(n, positions.size(), bytes);
    ASSERT_TRUE(back.ok()) << back.status();
    ASSERT_EQ(*back, positions);
  }
}

TEST(Support, TakesTheShorterForm) {
  EXPECT_EQ(Written(1000, {5, 900}), Bytes({2, 0, 5, 0xfe, 0x06}));  // gaps 5 and 894
  Positions all;
  for (uint32_t i = 0; i < 16; ++i) all.push_back(i);
  EXPECT_EQ(Written(16, all), Bytes({16, 1, 0xff, 0xff}));
}

TEST(Support, HostileBytesAreRefused) {
  const struct {
    uint64_t n, kept;
    std::vector<std::byte> bytes;
    const char* why;
  } cases[] = {
      {8, 4, {}, "cut short"},
      {8, 4, Bytes({2}), "cut short"},
      {8, 4, Bytes({2, 2, 0, 0}), "unknown form"},
      {8, 4, Bytes({5, 0, 0, 0, 0, 0, 0}), "at most 4"},
      {8, 4, Bytes({3, 0, 0, 0}), "cut short"},
      {8, 4, Bytes({2, 0, 0, 0x80}), "cut short or no numbers"},
      {8, 4, Bytes({1, 0, 8}), "beyond its end"},
      {8, 4, Bytes({2, 0, 7, 0}), "beyond its end"},
      {8, 4, Bytes({1, 0, 0x80, 0x00}), "no numbers"},  // could be shorter
      {8, 4, Bytes({2, 1, 0x07}), "are 3, not 2"},
      {6, 4, Bytes({2, 1, 0xc0}), "beyond its end"},
      {16, 4, Bytes({1, 1, 0x01}), "cut short"},
      {8, 4, Bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0}), "at most 4"},
  };
  for (const auto& bad : cases) {
    const auto read = Read(bad.n, bad.kept, bad.bytes);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument) << bad.why;
    EXPECT_NE(Message(read.status()).find(bad.why), std::string::npos) << read.status();
  }
}

TEST(Varint, ReadsWhatIsWrittenAndNothingElse) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{127}, uint64_t{128}, ~uint64_t{0}}) {
    std::vector<std::byte> bytes(kMaxVarintBytes);
    ByteWriter out(bytes);
    out.Varint(value);
    EXPECT_EQ(out.size(), VarintBytes(value));
    EXPECT_EQ(ByteReader(std::span(bytes).first(out.size())).Varint(), value);
    EXPECT_EQ(ByteReader(std::span(bytes).first(out.size() - 1)).Varint(), std::nullopt);
  }
  // More than 64 bits.
  const auto wide = Bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02});
  EXPECT_EQ(ByteReader(wide).Varint(), std::nullopt);
}

}  // namespace
}  // namespace skein
