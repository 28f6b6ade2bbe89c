#include "federation/run_directory.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

namespace fs = std::filesystem;

TEST(CreateRunDirectory, MakesParents) {
  TempDir temp;
  EXPECT_TRUE(CreateRunDirectory(temp / "a/b/run").ok());
  EXPECT_TRUE(fs::is_directory(temp / "a/b/run"));
}

TEST(CreateRunDirectory, TakesASlashAtTheEnd) {
  TempDir temp;
  EXPECT_TRUE(CreateRunDirectory(temp / "run/").ok());
  EXPECT_TRUE(fs::is_directory(temp / "run"));
}

TEST(CreateRunDirectory, RefusesWhatIsThereWithTheRemedy) {
  TempDir temp;
  WriteAll(temp / "file", "precious");
  fs::create_directory(temp / "empty");
  fs::create_symlink(temp / "nowhere", temp / "dangling");
  for (const char* name : {"file", "empty", "dangling"}) {
    for (const absl::Status& status :
         {CheckRunDirectory(temp / name), CreateRunDirectory(temp / name)}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << name;
      EXPECT_THAT(Message(status), ::testing::HasSubstr("--out")) << name;
    }
  }
  EXPECT_EQ(ReadAll(temp / "file"), "precious");
}

TEST(CreateRunDirectory, SaysWhyItCannot) {
  TempDir temp;
  WriteAll(temp / "file", "");
  const absl::Status status = CreateRunDirectory(temp / "file/run");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(status), ::testing::HasSubstr("Not a directory"));
}

TEST(CheckRunDirectory, CreatesNothing) {
  TempDir temp;
  EXPECT_TRUE(CheckRunDirectory(temp / "a/run").ok());
  EXPECT_TRUE(fs::is_empty(temp.path()));
}

TEST(WriteFileAtomically, ReplacesAndLeavesNothingElse) {
  TempDir temp;
  ASSERT_TRUE(WriteFileAtomically(temp / "f", "one").ok());
  ASSERT_TRUE(WriteFileAtomically(temp / "f", "two").ok());
  EXPECT_EQ(ReadAll(temp / "f"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(temp.path()), {}), 1);
}

TEST(WriteFileAtomically, NamesTheFile) {
  const absl::Status status = WriteFileAtomically("/nonexistent/f", "x");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(status), ::testing::HasSubstr("/nonexistent/f"));
}

}  // namespace
}  // namespace skein
