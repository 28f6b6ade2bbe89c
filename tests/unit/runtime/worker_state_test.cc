#include "runtime/worker_state.h"

#include <cstring>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

PackedTensors Number(float value) {
  PackedTensors tensors(*Manifest::Create({{"k", DType::kFloat32, {}}}));
  std::memcpy(tensors.mutable_bytes().data(), &value, sizeof(value));
  return tensors;
}

// What the task starts from; -1: nothing.
float Before(const WorkerState& state, uint64_t seq) {
  const auto tensors = state.Before(seq);
  EXPECT_TRUE(tensors.ok()) << tensors.status();
  if (!tensors.ok() || !tensors->has_value()) return -1;
  float value = 0;
  std::memcpy(&value, tensors->bytes().data(), sizeof(value));
  return value;
}

class WorkerStateTest : public ::testing::TestWithParam<bool> {
 protected:
  std::string Path() const {
    return GetParam() ? WorkerStatePath(temp_ / "state", "run-1", "w0") : "";
  }
  TempDir temp_;
};

TEST_P(WorkerStateTest, WhatIsStagedCountsWhenItsUpdateDoes) {
  WorkerState state(Path());
  EXPECT_EQ(Before(state, 1), -1);
  ASSERT_TRUE(state.Stage(1, Number(10)).ok());
  EXPECT_EQ(Before(state, 1), -1) << "the same task, once more";
  EXPECT_EQ(Before(state, 2), 10) << "one that comes after it";
  ASSERT_TRUE(state.Settle(1, true).ok());
  EXPECT_EQ(Before(state, 1), 10);
  ASSERT_TRUE(state.Stage(5, Number(20)).ok());
  EXPECT_EQ(Before(state, 9), 20);
  ASSERT_TRUE(state.Settle(5, false).ok());
  EXPECT_EQ(Before(state, 9), 10) << "as if it had not been trained";
  EXPECT_TRUE(state.Settle(5, true).ok()) << "it is over";
  EXPECT_EQ(Before(state, 9), 10);
}

TEST_P(WorkerStateTest, WhatCountsTakesTheEarlierWithIt) {
  WorkerState state(Path());
  ASSERT_TRUE(state.Stage(1, Number(1)).ok());
  ASSERT_TRUE(state.Stage(2, Number(2)).ok());
  ASSERT_TRUE(state.Stage(3, Number(3)).ok());
  ASSERT_TRUE(state.Settle(2, true).ok());
  EXPECT_EQ(Before(state, 1), 2);
  EXPECT_EQ(Before(state, 4), 3);
  ASSERT_TRUE(state.Settle(1, true).ok());
  ASSERT_TRUE(state.Settle(3, false).ok());
  EXPECT_EQ(Before(state, 4), 2);
}

INSTANTIATE_TEST_SUITE_P(InMemoryAndInFiles, WorkerStateTest, ::testing::Bool());

TEST(WorkerStateFilesTest, AnotherLifeFindsWhatCountedAndNothingElse) {
  TempDir temp;
  const std::string path = WorkerStatePath(temp / "state", "run-1", "w0");
  {
    WorkerState state(path);
    ASSERT_TRUE(state.Stage(1, Number(10)).ok());
    ASSERT_TRUE(state.Settle(1, true).ok());
    ASSERT_TRUE(state.Stage(2, Number(20)).ok());
  }
  WorkerState state(path);
  EXPECT_EQ(Before(state, 3), 10);
  ASSERT_TRUE(state.Stage(3, Number(30)).ok());
  ASSERT_TRUE(state.Settle(3, true).ok());
  EXPECT_EQ(Before(state, 4), 30);
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(temp / "state/run-1")) {
    ++files;
  }
  EXPECT_EQ(files, 1u) << "what was staged in the earlier life is gone";
}

TEST(WorkerStateFilesTest, ADamagedFileIsNamed) {
  TempDir temp;
  const std::string path = WorkerStatePath(temp / "state", "run-1", "w0");
  std::filesystem::create_directories(temp / "state/run-1");
  std::ofstream(path) << "no tensors";
  EXPECT_THAT(Message(WorkerState(path).Before(1).status()), HasSubstr("w0.safetensors"));
}

TEST(WorkerStateFilesTest, WorkersOfOddNamesHaveFilesOfTheirOwn) {
  EXPECT_EQ(WorkerStatePath("", "r", "w0"), "");
  EXPECT_EQ(WorkerStatePath("d", "r", "w-0_1.a"), "d/r/w-0_1.a.safetensors");
  EXPECT_EQ(WorkerStatePath("d", "r", "../w/0"), "d/r/%2E.%2Fw%2F0.safetensors");
}

}  // namespace
}  // namespace skein
