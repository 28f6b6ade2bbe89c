#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/data/partition.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

constexpr size_t kClasses = 10;

std::vector<int64_t> Labels(size_t per_class) {
  std::vector<int64_t> labels(kClasses * per_class);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int64_t>(i % kClasses);
  return labels;
}

void ExpectAllOnce(const Partition& parts, size_t num_samples) {
  EXPECT_TRUE(CheckPartition(parts, num_samples).ok());
  size_t total = 0;
  for (const auto& part : parts) total += part.size();
  EXPECT_EQ(total, num_samples);
}

// Samples of each label, by worker.
std::vector<std::map<int64_t, size_t>> Counts(const Partition& parts,
                                              const std::vector<int64_t>& labels) {
  std::vector<std::map<int64_t, size_t>> counts(parts.size());
  for (size_t w = 0; w < parts.size(); ++w) {
    for (const uint32_t index : parts[w]) ++counts[w][labels[index]];
  }
  return counts;
}

std::string Refusal(const absl::StatusOr<Partition>& parts) {
  EXPECT_EQ(parts.status().code(), absl::StatusCode::kInvalidArgument);
  return Message(parts.status());
}

// The setting of the paper: 600 images a worker, in two shards of 300, so two digits mostly.
TEST(PartitionShards, WorkersHaveFewLabels) {
  const std::vector<int64_t> labels = Labels(6000);
  const auto parts = PartitionShards(labels, 100, 2, 7);
  ASSERT_TRUE(parts.ok()) << parts.status();
  ExpectAllOnce(*parts, labels.size());
  std::set<std::set<int64_t>> seen;
  for (const auto& counts : Counts(*parts, labels)) {
    size_t samples = 0;
    std::set<int64_t> names;
    for (const auto& [label, count] : counts) {
      samples += count;
      names.insert(label);
      EXPECT_EQ(count % 300, 0u) << "a class is 20 whole shards";
    }
    EXPECT_EQ(samples, 600u);
    EXPECT_LE(names.size(), 2u);
    seen.insert(names);
  }
  EXPECT_GT(seen.size(), 20u) << "shards are dealt out at random";
  EXPECT_EQ(*PartitionShards(labels, 100, 2, 7), *parts);
  EXPECT_NE(*PartitionShards(labels, 100, 2, 8), *parts);
}

TEST(PartitionShards, SizesDifferByTheNumberOfShardsAtMost) {
  const auto parts = PartitionShards(Labels(101), 7, 3, 1);
  ASSERT_TRUE(parts.ok());
  ExpectAllOnce(*parts, 1010);
  for (const auto& part : *parts) EXPECT_NEAR(static_cast<double>(part.size()), 1010.0 / 7, 3);
}

TEST(PartitionShards, RefusesMoreShardsThanSamples) {
  EXPECT_THAT(Refusal(PartitionShards(Labels(1), 5, 3, 1)), HasSubstr("3 shards for each of 5"));
  EXPECT_THAT(Refusal(PartitionShards(Labels(1), 5, 0, 1)), HasSubstr("at least 1"));
}

TEST(PartitionByClasses, EveryWorkerHasItsNumberOfClassesAndOwnersShareEvenly) {
  const std::vector<int64_t> labels = Labels(60);
  for (const size_t k : {1, 2, 3, 10}) {
    const auto parts = PartitionByClasses(labels, 20, k, 3);
    ASSERT_TRUE(parts.ok()) << parts.status();
    ExpectAllOnce(*parts, labels.size());
    for (const auto& counts : Counts(*parts, labels)) {
      EXPECT_EQ(counts.size(), k);
      for (const auto& [label, count] : counts) EXPECT_EQ(count, 60 * kClasses / (20 * k));
    }
    EXPECT_EQ(*PartitionByClasses(labels, 20, k, 3), *parts);
    EXPECT_NE(*PartitionByClasses(labels, 20, k, 4), *parts);
  }
}

TEST(PartitionByClasses, RefusesWhatCannotBe) {
  EXPECT_THAT(Refusal(PartitionByClasses(Labels(9), 4, 2, 1)), HasSubstr("nobody's"));
  EXPECT_THAT(Refusal(PartitionByClasses(Labels(9), 4, 11, 1)), HasSubstr("no more than there"));
  EXPECT_THAT(Refusal(PartitionByClasses(Labels(9), 4, 0, 1)), HasSubstr("1 at least"));
  EXPECT_THAT(Refusal(PartitionByClasses(Labels(2), 15, 10, 1)),
              HasSubstr("2 samples for 15 workers"));
}

TEST(PartitionQuantity, SizesAreSkewedAndLabelsAreNot) {
  const std::vector<int64_t> labels = Labels(6000);
  const auto parts = PartitionQuantity(labels.size(), 10, {.alpha = 0.5}, 2);
  ASSERT_TRUE(parts.ok()) << parts.status();
  ExpectAllOnce(*parts, labels.size());
  const auto [least, most] = std::ranges::minmax_element(*parts, {}, &std::vector<uint32_t>::size);
  EXPECT_GE(least->size(), 10u);
  EXPECT_GT(most->size(), 3 * least->size());
  const auto of_most = Counts(*parts, labels)[static_cast<size_t>(most - parts->begin())];
  for (const auto& [label, count] : of_most) {
    EXPECT_NEAR(static_cast<double>(count), most->size() / 10.0, most->size() / 50.0) << label;
  }
  EXPECT_EQ(PartitionQuantity(1000, 10, {.alpha = 1e-3, .min_samples = 50, .max_attempts = 5}, 2)
                .status()
                .code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(Refusal(PartitionQuantity(1000, 10, {.alpha = -1}, 2)), HasSubstr("alpha"));
}

TEST(PartitionByGroups, LabelsDifferBetweenGroupsAndNotWithin) {
  const std::vector<int64_t> labels = Labels(3000);
  const std::vector<size_t> groups = {4, 2, 8};
  const auto parts = PartitionByGroups(labels, groups, {.alpha = 0.1}, 5);
  ASSERT_TRUE(parts.ok()) << parts.status();
  ASSERT_EQ(parts->size(), 14u);
  ExpectAllOnce(*parts, labels.size());
  const auto counts = Counts(*parts, labels);
  const auto share = [&](size_t worker, int64_t label) {
    const auto at = counts[worker].find(label);
    const double count = at == counts[worker].end() ? 0 : static_cast<double>(at->second);
    return count / static_cast<double>((*parts)[worker].size());
  };
  double within = 0, between = 0;
  for (int64_t label = 0; label < static_cast<int64_t>(kClasses); ++label) {
    within = std::max(within, std::abs(share(0, label) - share(3, label)));
    between = std::max(between, std::abs(share(0, label) - share(6, label)));
  }
  EXPECT_LT(within, 0.05);
  EXPECT_GT(between, 0.15);
  for (size_t worker = 1; worker < 4; ++worker) {
    EXPECT_NEAR(static_cast<double>((*parts)[worker].size()), (*parts)[0].size(), 1);
  }
  EXPECT_THAT(Refusal(PartitionByGroups(labels, {3, 0}, {}, 5)), HasSubstr("has no workers"));
  EXPECT_THAT(Refusal(PartitionByGroups(labels, {}, {}, 5)), HasSubstr("no workers"));
}

TEST(CheckPartition, NamesTheWorkerAndTheSample) {
  EXPECT_TRUE(CheckPartition({{0, 2}, {}, {1}}, 4).ok()) << "a sample may be left out";
  EXPECT_EQ(Message(CheckPartition({{0}, {4}}, 4)),
            "partition: worker 1: sample 4 is not there, of 4");
  EXPECT_EQ(Message(CheckPartition({{0, 3}, {3}}, 4)),
            "partition: worker 1: sample 3 is there twice");
}

}  // namespace
}  // namespace skein
