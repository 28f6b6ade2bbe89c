#include "strategy/held/held_updates.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <limits>

#include <gmock/gmock.h>

#include "skein/base/status.h"
#include "testing/fold_samples.h"

namespace skein {
namespace {

using testing::Filled;
using ::testing::HasSubstr;
using testing::MakeManifest;
using testing::SetValue;

constexpr uint64_t kElements = 100'000;
constexpr uint64_t kBytes = kElements * sizeof(float);

Manifest Update() {
  return MakeManifest({{"a", DType::kFloat32, {static_cast<int64_t>(kElements)}}});
}

// An update of equal elements, in a block of the pool as uploads are.
PackedTensors Constant(double value, BufferPool& pool) {
  PackedTensors tensors(Update(), pool);
  const PackedTensors filled = Filled(Update(), [&](size_t, uint64_t) { return value; });
  std::ranges::copy(filled.bytes(), tensors.mutable_bytes().begin());
  return tensors;
}

absl::Status Add(HeldUpdates& updates, const PackedTensors& tensors) {
  auto intake = updates.Begin(tensors);
  return intake.ok() ? (*intake)->Complete() : intake.status();
}

float FirstOf(std::span<const std::byte> bytes) {
  float value = 0;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

std::vector<float> FirstsOf(const HeldUpdates& updates) {
  auto view = updates.Open();
  EXPECT_TRUE(view.ok()) << view.status();
  std::vector<float> firsts;
  for (size_t k = 0; view.ok() && k < view->size(); ++k) firsts.push_back(FirstOf(view->bytes(k)));
  std::ranges::sort(firsts);
  return firsts;
}

// What is idle in the pool when all is let go is what was taken from it at most.
TEST(HeldUpdates, StaysWithinItsBudgetWhateverComes) {
  constexpr uint64_t kBlock = kBytes + (64 << 10);  // a block may be as much larger
  BufferPool pool;
  {
    HeldUpdates updates(Update(), {.memory_bytes = 3 * kBytes, .spill_dir = ""});
    std::vector<float> expected;
    for (int k = 0; k < 20; ++k) {
      ASSERT_TRUE(Add(updates, Constant(k, pool)).ok());
      expected.push_back(static_cast<float>(k));
    }
    EXPECT_EQ(updates.memory_bytes(), 3 * kBytes);
    EXPECT_GE(updates.spilled_bytes(), 17 * kBytes);
    EXPECT_EQ(FirstsOf(updates), expected);
    EXPECT_LE(pool.idle_bytes(), kBlock) << "one that has arrived last";
  }
  EXPECT_GE(pool.idle_bytes(), 4 * kBytes);
  EXPECT_LE(pool.idle_bytes(), 4 * kBlock);
}

TEST(HeldUpdates, NothingIsWrittenWhileThereIsRoom) {
  BufferPool pool;
  HeldUpdates updates(Update(), {.memory_bytes = 2 * kBytes, .spill_dir = "/no/such/directory"});
  ASSERT_TRUE(Add(updates, Constant(1, pool)).ok());
  ASSERT_TRUE(Add(updates, Constant(2, pool)).ok());
  EXPECT_EQ(updates.spilled_bytes(), 0u);
  const absl::Status status = Add(updates, Constant(3, pool));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(status), HasSubstr("/no/such/directory: cannot create a file for updates"));
  EXPECT_THAT(Message(status), HasSubstr("set strategy.fold.spill_dir to another directory"));
  EXPECT_EQ(FirstsOf(updates), (std::vector<float>{1, 2}));
}

// One in memory, the others in the file, whatever the order of their arrival.
TEST(HeldUpdates, AreGivenInTheOrderOfTheirLeaves) {
  BufferPool pool;
  HeldUpdates updates(Update(), {.memory_bytes = kBytes, .spill_dir = ""});
  for (const LeafIndex leaf : {5u, 2u, 9u, 0u}) {
    const PackedTensors tensors = Constant(leaf, pool);
    const auto intake = updates.Begin(tensors, {.leaf = leaf, .seq = 1, .samples = leaf * 10});
    ASSERT_TRUE(intake.ok() && (*intake)->Complete().ok());
  }
  const auto given = [](const absl::StatusOr<HeldUpdates::View>& view) {
    std::vector<float> values;
    for (size_t k = 0; k < view->size(); ++k) {
      values.push_back(FirstOf(view->bytes(k)));
      EXPECT_EQ(view->from(k).samples, 10 * view->from(k).leaf);
      EXPECT_EQ(static_cast<float>(view->from(k).leaf), values.back());
    }
    return values;
  };
  EXPECT_EQ(given(updates.Open()), (std::vector<float>{0, 2, 5, 9}));
  EXPECT_EQ(given(updates.Open(std::vector<size_t>{1, 3})), (std::vector<float>{2, 9}));
  EXPECT_EQ(given(updates.Open(std::vector<size_t>{2})), (std::vector<float>{5}));
  EXPECT_EQ(updates.From()[2].leaf, 5u);
}

TEST(HeldUpdates, TheFileHasNoName) {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("skein-held-" + std::to_string(::getpid()));
  std::filesystem::create_directories(directory);
  BufferPool pool;
  {
    HeldUpdates updates(Update(), {.memory_bytes = 0, .spill_dir = directory.string()});
    ASSERT_TRUE(Add(updates, Constant(1, pool)).ok());
    EXPECT_TRUE(std::filesystem::is_empty(directory));
    EXPECT_EQ(FirstsOf(updates), (std::vector<float>{1}));
  }
  EXPECT_EQ(std::filesystem::remove_all(directory), 1u);
}

TEST(HeldUpdates, ABrokenOffUpdateGivesItsPlaceBack) {
  BufferPool pool;
  HeldUpdates updates(Update(), {.memory_bytes = kBytes, .spill_dir = ""});
  for (int trial = 0; trial < 5; ++trial) {
    const PackedTensors in_memory = Constant(100, pool);
    const PackedTensors spilled = Constant(200, pool);
    const auto first = updates.Begin(in_memory);
    const auto second = updates.Begin(spilled);
    ASSERT_TRUE(first.ok() && second.ok());
    ASSERT_TRUE((*first)->Advance(kBytes / 2).ok());
    ASSERT_TRUE((*second)->Advance(kBytes / 2).ok());
  }
  EXPECT_EQ(updates.memory_bytes(), 0u);
  EXPECT_LE(updates.spilled_bytes(), kBytes + 4096) << "the place in the file is used again";
  for (int k = 0; k < 3; ++k) ASSERT_TRUE(Add(updates, Constant(k, pool)).ok());
  EXPECT_EQ(FirstsOf(updates), (std::vector<float>{0, 1, 2}));
}

TEST(HeldUpdates, RefusesNanInWhateverPieceItComes) {
  BufferPool pool;
  HeldUpdates updates(Update(), {.memory_bytes = 0, .spill_dir = ""});
  PackedTensors bad = Constant(1, pool);
  SetValue(bad, 0, 70'001, std::numeric_limits<double>::quiet_NaN());
  const auto intake = updates.Begin(bad);
  ASSERT_TRUE(intake.ok());
  EXPECT_TRUE((*intake)->Advance(70'001 * sizeof(float) + 3).ok()) << "it is not all there";
  const absl::Status status = (*intake)->Advance(70'002 * sizeof(float));
  EXPECT_EQ(status, absl::InvalidArgumentError("tensor 'a' has NaN at index 70001"));
  EXPECT_EQ((*intake)->Complete(), status);
  EXPECT_EQ(updates.size(), 0u);
}

// The process may not write files beyond a size, as on a disk that is full; the limit comes with a
// signal that would end it.
TEST(HeldUpdates, AFullDiskRefusesThatUpdateOnly) {
  BufferPool pool;
  HeldUpdates updates(Update(), {.memory_bytes = kBytes, .spill_dir = ""});
  ASSERT_TRUE(Add(updates, Constant(1, pool)).ok());
  ASSERT_TRUE(Add(updates, Constant(2, pool)).ok());
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = kBytes + kBytes / 2;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = Add(updates, Constant(3, pool));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_THAT(Message(status), HasSubstr("cannot spill updates: File too large; free some space, "
                                         "or set strategy.fold.spill_dir to another directory"));
  EXPECT_EQ(FirstsOf(updates), (std::vector<float>{1, 2}));
  ASSERT_TRUE(Add(updates, Constant(4, pool)).ok()) << "once there is room again";
  EXPECT_EQ(FirstsOf(updates), (std::vector<float>{1, 2, 4}));
}

}  // namespace
}  // namespace skein
