#include "tensor/zip_records.h"

#include <zlib.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

std::string Number(uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(i < 8 ? number >> (8 * i) : 0);
  return text;
}

std::string Deflated(const std::string& text) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// A record as an archive has it; what is in it can be made a lie.
struct Sample {
  Sample(std::string its_name, const std::string& text, bool deflate = false)
      : name(std::move(its_name)),
        packed(deflate ? Deflated(text) : text),
        size(text.size()),
        packed_size(packed.size()),
        crc(static_cast<uint32_t>(
            crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())))),
        method(deflate ? 8 : 0) {}
  std::string name;
  std::string packed;
  uint64_t size;
  uint64_t packed_size;
  uint32_t crc;
  uint16_t method;
  uint16_t flags = 0;
  int64_t move = 0;    // of where the directory says that it begins
  bool zip64 = false;  // sizes and place are in a field of their own
};

std::string Archive(const std::vector<Sample>& samples, bool end64 = false) {
  std::string file, directory;
  for (const Sample& s : samples) {
    const uint64_t at = file.size() + static_cast<uint64_t>(s.move);
    file += "PK\3\4" + Number(20, 2) + Number(s.flags, 2) + Number(s.method, 2) + Number(0, 4) +
            Number(s.crc, 4) + Number(s.packed_size, 4) + Number(s.size, 4) +
            Number(s.name.size(), 2) + Number(3, 2) + s.name + "pad" + s.packed;
    const std::string extra = s.zip64 ? Number(1, 2) + Number(24, 2) + Number(s.size, 8) +
                                            Number(s.packed_size, 8) + Number(at, 8)
                                      : "";
    const auto number = [&](uint64_t n) { return Number(s.zip64 ? 0xffffffff : n, 4); };
    directory += "PK\1\2" + Number(20, 2) + Number(20, 2) + Number(s.flags, 2) +
                 Number(s.method, 2) + Number(0, 4) + Number(s.crc, 4) + number(s.packed_size) +
                 number(s.size) + Number(s.name.size(), 2) + Number(extra.size(), 2) +
                 Number(0, 2 + 2 + 2 + 4) + number(at) + s.name + extra;
  }
  const uint64_t at = file.size(), size = directory.size();
  file += directory;
  if (end64) {
    const uint64_t end = file.size();
    file += "PK\6\6" + Number(44, 8) + Number(0, 12) + Number(samples.size(), 8) +
            Number(samples.size(), 8) + Number(size, 8) + Number(at, 8);
    file += "PK\6\7" + Number(0, 4) + Number(end, 8) + Number(1, 4);
  }
  const auto number = [&](uint64_t n) { return Number(end64 ? 0xffffffff : n, 4); };
  return file + "PK\5\6" + Number(0, 4) + Number(samples.size(), 2) + Number(samples.size(), 2) +
         number(size) + number(at) + Number(0, 2);
}

absl::StatusOr<ZipRecords> Read(const std::string& file) {
  return ZipRecords::Read(std::as_bytes(std::span(file)));
}

// The text of a record, or what is wrong.
std::string Got(const std::string& file, const std::string& name) {
  const auto records = Read(file);
  if (!records.ok()) return Message(records.status());
  const auto bytes = records->Get(name);
  if (!bytes.ok()) return Message(bytes.status());
  return {reinterpret_cast<const char*>(bytes->data.get()), bytes->size};
}

TEST(ZipRecordsTest, ReadsWhatIsStoredAndWhatIsDeflated) {
  Sample far("model/data/1", "far");
  far.zip64 = true;
  for (const bool end64 : {false, true}) {
    const std::string file = Archive(
        {{"model/", ""}, {"model/data.pkl", "stored"}, {"model/data/0", "deflated", true}, far},
        end64);
    EXPECT_EQ(Got(file, "data.pkl"), "stored");
    EXPECT_EQ(Got(file, "data/0"), "deflated");
    EXPECT_EQ(Got(file, "data/1"), "far");
    EXPECT_FALSE(Read(file)->Has(""));
    EXPECT_EQ(Read(file)->Get("data/2").status().code(), absl::StatusCode::kNotFound);
  }
}

TEST(ZipRecordsTest, OfNothing) {
  EXPECT_EQ(Got(Archive({{"m/empty", ""}, {"m/deflated", "", true}}), "empty"), "");
  EXPECT_EQ(Got(Archive({{"m/empty", ""}, {"m/deflated", "", true}}), "deflated"), "");
  EXPECT_TRUE(Read(Archive({})).ok());
  EXPECT_THAT(Got("", ""), HasSubstr("no zip archive"));
  EXPECT_THAT(Got(std::string(100'000, 'x'), ""), HasSubstr("no zip archive"));
}

TEST(ZipRecordsTest, NothingUnfoldsWithoutEnd) {
  const std::string zeros(size_t{1} << 20, '\0');
  std::vector<Sample> samples(15, Sample("m/zeros", zeros, true));
  EXPECT_EQ(Got(Archive(samples), "zeros"), zeros) << "a small file may";
  samples.resize(17, samples[0]);
  EXPECT_THAT(Got(Archive(samples), "zeros"), HasSubstr("more than 100 times its size"));
  // A large file may unfold to more.
  samples.emplace_back("m/other", std::string(size_t{1} << 20, 'x'));
  EXPECT_EQ(Got(Archive(samples), "zeros"), zeros);
}

TEST(ZipRecordsTest, SizesThatAreLies) {
  for (const int64_t more : {-1, 1, 1000}) {
    SCOPED_TRACE(more);
    Sample deflated("m/r", "some text", true);
    deflated.size += static_cast<uint64_t>(more);
    EXPECT_EQ(Got(Archive({deflated}), "r"), "is damaged");
    Sample stored("m/r", "some text");
    stored.size += static_cast<uint64_t>(more);
    EXPECT_EQ(Got(Archive({stored}), "r"), "is damaged");
    Sample moved("m/r", "some text");
    moved.move = more;
    EXPECT_EQ(Got(Archive({moved}), "r"), "is damaged");
  }
  Sample endless("m/r", "some text");
  endless.zip64 = true;
  endless.size = endless.packed_size = ~uint64_t{0};
  EXPECT_EQ(Got(Archive({endless}), "r"), "is damaged");
  Sample changed("m/r", "some text");
  changed.crc ^= 1;
  EXPECT_EQ(Got(Archive({changed}), "r"), "is damaged");
}

TEST(ZipRecordsTest, RecordsThatLieOnOneAnother) {
  const std::string text(1000, 'x');
  Sample first("m/a", text), second("m/b", "");
  second.size = second.packed_size = text.size();
  second.move = -static_cast<int64_t>(30 + 3 + 3 + text.size());
  EXPECT_EQ(Got(Archive({first, second}), "a"), "is damaged");
}

TEST(ZipRecordsTest, WhatIsUnknownIsNamed) {
  Sample locked("m/r", "some text");
  locked.flags = 1;
  EXPECT_THAT(Got(Archive({locked}), "r"), HasSubstr("'r' is encrypted or"));
  Sample other("m/r", "some text");
  other.method = 12;
  EXPECT_THAT(Got(Archive({other}), "r"), HasSubstr("'r' is encrypted or"));
}

// However it is cut, or any byte of it changed: an error or the right text, and nothing is read
// that is not there.
TEST(ZipRecordsTest, DamageAnywhere) {
  Sample far("m/c", "far");
  far.zip64 = true;
  const std::string file = Archive({{"m/a", "stored"}, {"m/b", "deflated", true}, far}, true);
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(Read(file.substr(0, size)).ok()) << size;
  }
  for (size_t at = 0; at < file.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string damaged = file;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const auto records = Read(damaged);
      if (!records.ok()) continue;
      const auto text = records->Get("b");
      if (!text.ok()) continue;
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(text->data.get()), text->size),
                "deflated");
    }
  }
}

}  // namespace
}  // namespace skein
