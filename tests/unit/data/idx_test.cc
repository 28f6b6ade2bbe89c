#include "skein/data/idx.h"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Gzip(const std::string& bytes) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(bytes.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<unsigned>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<unsigned>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class ReadIdxTest : public ::testing::Test {
 protected:
  ReadIdxTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "skein-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    directory_ = pattern;
  }
  ~ReadIdxTest() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return (directory_ / "data.gz").string(); }

  absl::StatusOr<IdxData> Read(const std::string& file) {
    std::ofstream(path(), std::ios::binary) << file;
    return ReadIdx(path());
  }

  // The reason for refusing `file`, after its path.
  std::string Refusal(const std::string& file) {
    const absl::StatusOr<IdxData> data = Read(file);
    if (!absl::IsInvalidArgument(data.status())) return "not refused: " + data.status().ToString();
    const std::string message = Message(data.status());
    EXPECT_THAT(message, StartsWith(path() + ": "));
    return message.substr(path().size() + 2);
  }

  std::filesystem::path directory_;
};

// Two images of 1 x 3.
const std::string kHeader("\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\3", 16);
const std::string kPixels("\x00\x01\x7F\x80\xFE\xFF", 6);

TEST_F(ReadIdxTest, ReadsCompressedAndPlainFilesAlike) {
  for (const std::string& file : {Gzip(kHeader + kPixels), kHeader + kPixels}) {
    const absl::StatusOr<IdxData> data = Read(file);
    ASSERT_TRUE(data.ok()) << data.status();
    EXPECT_THAT(data->shape, ElementsAre(2, 1, 3));
    EXPECT_THAT(data->bytes, ElementsAre(0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF));
  }
}

TEST_F(ReadIdxTest, ReadsDataLargerThanItsBuffers) {
  std::string bytes(3'000'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i >> 7);
  const absl::StatusOr<IdxData> data =
      Read(Gzip(std::string("\0\0\x08\x01\0\x2D\xC6\xC0", 8) + bytes));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_TRUE(std::ranges::equal(data->bytes, bytes,
                                 [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); }));
}

TEST_F(ReadIdxTest, RefusesWhatIsNotIdxOfBytes) {
  EXPECT_EQ(Refusal(""), "not an IDX file");
  EXPECT_EQ(Refusal(std::string("\0\0\x08", 3)), "not an IDX file");
  EXPECT_EQ(Refusal("PNG" + kPixels), "not an IDX file");
  EXPECT_THAT(Refusal(std::string("\0\0\x0D\x01\0\0\0\1", 8) + "abcd"), HasSubstr("type 13"));
  EXPECT_THAT(Refusal(std::string("\0\0\x08\x00", 4)), HasSubstr("0 dimensions"));
  EXPECT_THAT(Refusal(std::string("\0\0\x08\xFF", 4) + std::string(2000, '\1')),
              HasSubstr("255 dimensions"));
}

TEST_F(ReadIdxTest, RefusesTruncatedAndOverlongFiles) {
  const std::string whole = kHeader + kPixels;
  EXPECT_EQ(Refusal(Gzip(whole.substr(0, 10))), "truncated in the header");
  EXPECT_EQ(Refusal(Gzip(whole.substr(0, 20))), "truncated: 4 of 6 elements");
  EXPECT_EQ(Refusal(whole.substr(0, 20)), "truncated: 4 of 6 elements");
  EXPECT_EQ(Refusal(Gzip(whole + "x")), "longer than the 6 elements of its header");
  EXPECT_EQ(Refusal(whole + "x"), "longer than the 6 elements of its header");
}

TEST_F(ReadIdxTest, RefusesEveryPrefixOfACompressedFile) {
  const std::string file = Gzip(kHeader + kPixels);
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_THAT(Refusal(file.substr(0, size)), ::testing::Not(HasSubstr("not refused"))) << size;
  }
  EXPECT_EQ(Refusal(file.substr(0, file.size() - 3)), "truncated gzip stream");
}

TEST_F(ReadIdxTest, RefusesACompressedFileWhoseSumIsWrong) {
  std::string file = Gzip(kHeader + kPixels);
  file[file.size() - 8] ^= 1;  // the CRC
  EXPECT_THAT(Refusal(file), HasSubstr("corrupt gzip stream"));
}

TEST_F(ReadIdxTest, TakesNoMemoryForAbsurdDimensions) {
  const std::string giant("\0\0\x08\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12);
  EXPECT_THAT(Refusal(giant), HasSubstr("absurd dimensions"));
  const std::string large("\0\0\x08\x01\xFF\xFF\xFF\xFF", 8);  // allowed, but not there
  EXPECT_EQ(Refusal(large + "abc"), "truncated: 3 of 4294967295 elements");
  EXPECT_EQ(Refusal(std::string("\0\0\x08\x01\0\0\0\0", 8)), "a dimension of size 0");
}

TEST_F(ReadIdxTest, SaysNotFoundOrNotAFile) {
  EXPECT_TRUE(absl::IsNotFound(ReadIdx(path()).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadIdx(directory_.string()).status()));
}

TEST(FashionMnist, HasItsKnownSizesAndClasses) {
  const std::filesystem::path directory = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << directory << " is not installed";
  const absl::StatusOr<IdxData> images =
      ReadIdx((directory / "train-images-idx3-ubyte.gz").string());
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_THAT(images->shape, ElementsAre(60000, 28, 28));
  EXPECT_EQ(images->bytes.size(), 60000u * 28 * 28);
  const absl::StatusOr<IdxData> labels =
      ReadIdx((directory / "t10k-labels-idx1-ubyte.gz").string());
  ASSERT_TRUE(labels.ok()) << labels.status();
  EXPECT_THAT(labels->shape, ElementsAre(10000));
  for (uint8_t label = 0; label < 10; ++label) {
    EXPECT_EQ(std::ranges::count(labels->bytes, label), 1000);
  }
}

}  // namespace
}  // namespace skein
