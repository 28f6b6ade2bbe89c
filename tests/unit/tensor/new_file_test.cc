#include "tensor/new_file.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>

#include "skein/base/status.h"
#include "unit/tensor/tensor_testing.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kMiB = size_t{1} << 20;

// As many bytes as are written past the page cache, and fewer.
class NewFileTest : public ::testing::TestWithParam<size_t> {
 protected:
  std::string Content() const {
    std::string content(GetParam(), '\0');
    for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 + i / 4093);
    return content;
  }
  static std::span<const std::byte> Bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
  }
  const ScratchDirectory scratch_;
};

TEST_P(NewFileTest, WhatIsNoFileIsNotReplaced) {
  const std::string path = scratch_.File("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const auto file = NewFile::Create(path, GetParam());
  EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(file.status()), ::testing::HasSubstr(path + ": there is something that"));
  EXPECT_TRUE(std::filesystem::is_fifo(path));
}

TEST_P(NewFileTest, HoldsWhatWasAppendedInPiecesOfAnySize) {
  const std::string content = Content();
  const std::string path = scratch_.File("f");
  auto file = NewFile::Create(path, content.size());
  ASSERT_TRUE(file.ok()) << file.status();
  size_t piece = 1;
  for (size_t at = 0; at < content.size(); at += piece, piece = piece * 5 + 3) {
    ASSERT_TRUE((*file)->Append(Bytes(std::string_view(content).substr(at, piece))).ok());
  }
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_TRUE(ReadBytes(path) == content);
  EXPECT_THAT(scratch_.List(), ElementsAre("f"));
}

TEST_P(NewFileTest, IsOfItsTrueSizeWhateverWasSaidBefore) {
  const std::string content = Content();
  const std::string path = scratch_.File("f");
  auto file = NewFile::Create(path, 1000 * kMiB);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Append(Bytes(content)).ok());
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_TRUE(ReadBytes(path) == content);
}

TEST_P(NewFileTest, LeavesNothingWithoutCommit) {
  const std::string content = Content();
  auto file = NewFile::Create(scratch_.File("f"), content.size());
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Append(Bytes(content)).ok());
  file->reset();
  EXPECT_THAT(scratch_.List(), IsEmpty());
}

TEST_P(NewFileTest, SaysWhenItsPlaceIsTakenMeanwhile) {
  const std::string path = scratch_.File("f");
  auto file = NewFile::Create(path, GetParam());
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Append(Bytes(Content())).ok());
  std::filesystem::create_directory(path);
  EXPECT_TRUE(absl::IsUnavailable((*file)->Commit()));
  file->reset();
  EXPECT_THAT(scratch_.List(), ElementsAre("f"));
}

TEST_P(NewFileTest, SaysWhenThereIsNoRoom) {
  const std::string content = Content();
  const std::string path = scratch_.File("f");
  WriteBytes(path, "old");
  rlimit unlimited = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  rlimit small = unlimited;
  small.rlim_cur = content.size() - 1;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  absl::Status status;
  {
    auto file = NewFile::Create(path, content.size());
    if (file.ok()) status.Update((*file)->Append(Bytes(content)));
    if (status.ok()) status = (*file)->Commit();
  }
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(Message(status), ::testing::StartsWith(path + ": cannot write"));
  EXPECT_EQ(ReadBytes(path), "old");
  EXPECT_THAT(scratch_.List(), ElementsAre("f"));
}

INSTANTIATE_TEST_SUITE_P(Sizes, NewFileTest,
                         ::testing::Values(1, 4096, 100'003, 16 * kMiB, 16 * kMiB + 1,
                                           21 * kMiB + 777),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace skein
