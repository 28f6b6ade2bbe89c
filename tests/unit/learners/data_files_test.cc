#include "skein/learners/data_files.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DataFilesTest : public ::testing::Test {
 protected:
  DataFilesTest() {
    std::string rows = "a,b,class\n";
    for (int i = 0; i < 80; ++i) {
      rows += std::to_string(i) + "," + std::to_string(2 * i) + "," + std::to_string(i % 4) + "\n";
    }
    WriteAll(dir_ / "train.csv", rows);
    WriteAll(dir_ / "test.csv", "a,b,class\n1,2,0\n3,4,1\n");
    data_ = {{"train", dir_ / "train.csv"}, {"test", dir_ / "test.csv"}};
  }
  WorkerContext Context(LeafIndex leaf) const {
    WorkerContext context;
    context.node = "w" + std::to_string(leaf);
    context.leaf = leaf;
    context.num_workers = 4;
    context.seed = 1;
    context.data = Params(data_);
    return context;
  }
  WorkerContext Coordinator() const {
    WorkerContext context = Context(0);
    context.node = "root";
    context.is_coordinator = true;
    return context;
  }
  static Batch Whole(const Samples& samples) {
    return samples.get(at::arange(static_cast<int64_t>(samples.count), at::kLong));
  }
  std::string Error(const WorkerContext& context) {
    return Message(DataFiles().SamplesOf(context).status());
  }

  TempDir dir_;
  ValueMap data_;
};

TEST_F(DataFilesTest, WorkersHaveWhatThePartitionGivesThem) {
  data_["partition"] = "shards";
  data_["per_worker"] = 1;
  DataFiles files;
  const auto parts = *PartitionShards(
      [] {
        std::vector<int64_t> labels;
        for (int i = 0; i < 80; ++i) labels.push_back(i % 4);
        return labels;
      }(),
      4, 1, 1);
  for (LeafIndex leaf = 0; leaf < 4; ++leaf) {
    const auto samples = files.SamplesOf(Context(leaf));
    ASSERT_TRUE(samples.ok()) << samples.status();
    ASSERT_EQ(samples->count, parts[leaf].size());
    const Batch all = Whole(*samples);
    for (size_t i = 0; i < parts[leaf].size(); ++i) {
      const auto row = static_cast<int64_t>(i);
      EXPECT_EQ(all.inputs[row][0].item<float>(), parts[leaf][i]);
      EXPECT_EQ(all.targets[row].item<int64_t>(), parts[leaf][i] % 4);
    }
  }
  const auto test = files.SamplesOf(Coordinator());
  ASSERT_TRUE(test.ok()) << test.status();
  EXPECT_EQ(test->count, 2u);
}

TEST_F(DataFilesTest, InputsAreScaledShiftedAndShaped) {
  data_["scale"] = 0.5;
  data_["shift"] = 10;
  data_["shape"] = "1x2x1";
  const auto test = DataFiles().SamplesOf(Coordinator());
  ASSERT_TRUE(test.ok()) << test.status();
  EXPECT_TRUE(
      Whole(*test).inputs.equal(at::tensor({10.5F, 11.0F, 11.5F, 12.0F}).reshape({2, 1, 2, 1})));
}

TEST_F(DataFilesTest, LimitLeavesTheFirst) {
  data_["limit"] = 10;
  uint64_t count = 0;
  DataFiles files;
  for (LeafIndex leaf = 0; leaf < 4; ++leaf) count += files.SamplesOf(Context(leaf))->count;
  EXPECT_EQ(count, 10u);
}

TEST_F(DataFilesTest, WorkersMayReadFilesOfTheirOwn) {
  data_["partition"] = "own";
  data_["train"] = dir_ / "{node}.csv";
  WriteAll(dir_ / "w2.csv", "5,6,1\n");
  DataFiles files;
  EXPECT_TRUE(files.SamplesOf(Coordinator()).ok()) << "it has none to read";
  const auto samples = files.SamplesOf(Context(2));
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_EQ(samples->count, 1u);
  EXPECT_THAT(Error(Context(3)), HasSubstr("w3.csv: no such file"));
}

TEST_F(DataFilesTest, FilesOfTheirOwnAreOthersForEach) {
  data_["partition"] = "own";
  EXPECT_THAT(Error(Context(0)), AllOf(HasSubstr("'train'"), HasSubstr("{node}")));
  EXPECT_THAT(Error(Coordinator()), HasSubstr("{node}"));
  EXPECT_TRUE(DataFiles::Check(Params(data_), {1, false}).ok()) << "of one worker";
  data_["train"] = dir_ / "train.csv:{node}";
  EXPECT_TRUE(DataFiles::Check(Params(data_), {4, false}).ok());
}

TEST_F(DataFilesTest, ACoordinatorThatEvaluatesNeedsTestSamples) {
  EXPECT_TRUE(DataFiles::Check(Params(data_), {4, true}).ok());
  data_.erase("test");
  EXPECT_TRUE(DataFiles::Check(Params(data_), {4, false}).ok());
  EXPECT_THAT(Message(DataFiles::Check(Params(data_), {4, true})),
              AllOf(HasSubstr("'test' is missing"), HasSubstr("evaluate")));
}

TEST_F(DataFilesTest, ACoordinatorNeedsNoTestSamples) {
  data_.erase("test");
  const auto none = DataFiles().SamplesOf(Coordinator());
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(none->count, 0u);
}

TEST_F(DataFilesTest, TheCoordinatorFindsWhatIsWrongWithTheWorkersData) {
  data_["partition"] = "dirichlet";
  data_["min_samples"] = 30;
  EXPECT_THAT(Error(Coordinator()), HasSubstr("lower min_samples"));
  data_["train"] = dir_ / "ghost.csv";
  EXPECT_THAT(Error(Coordinator()), HasSubstr("ghost.csv: no such file"));
}

TEST_F(DataFilesTest, BadKeysAreNamed) {
  data_["shape"] = "1x3";
  EXPECT_THAT(Error(Context(0)),
              testing::AllOf(HasSubstr("'shape' is 1x3"), HasSubstr("2 elements")));
  data_["shape"] = "1x999999999999999999x999999999999999999";
  EXPECT_THAT(Error(Context(0)), HasSubstr("'shape'"));
  data_["shape"] = "two";
  EXPECT_THAT(Error(Context(0)), HasSubstr("as 1x28x28"));
  data_ = {{"trian", "x"}};
  EXPECT_THAT(Error(Context(0)), HasSubstr("did you mean 'train'"));
}

// A process may serve many runs.
TEST_F(DataFilesTest, ARunHasTheFilesOfItsDayAndItsOwnLimit) {
  DataFiles files;
  const Samples before = *files.SamplesOf(Coordinator());
  EXPECT_EQ(files.SamplesOf(Context(0))->count, 20u);
  data_["limit"] = 40;
  EXPECT_EQ(files.SamplesOf(Context(0))->count, 10u);
  data_.erase("limit");
  EXPECT_EQ(files.SamplesOf(Context(0))->count, 20u);
  WriteAll(dir_ / "test.csv", "a,b,class\n7,8,1\n");
  WriteAll(dir_ / "train.csv", "a,b,class\n1,2,0\n1,2,0\n1,2,1\n1,2,1\n");
  EXPECT_EQ(before.count, 2u);
  EXPECT_EQ(files.SamplesOf(Coordinator())->count, 1u);
  EXPECT_EQ(files.SamplesOf(Context(0))->count, 1u);
}

}  // namespace
}  // namespace skein
