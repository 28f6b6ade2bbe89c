#include "skein/strategy/contribution.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "skein/base/random.h"

namespace skein {
namespace {

TEST(MetricSums, MeansAreWeightedBySamples) {
  MetricSums sums;
  sums.Add({{"loss", 1.0}, {"accuracy", 0.5}}, 10);
  sums.Add({{"loss", 4.0}, {"accuracy", 0.8}}, 30);
  const auto means = sums.Means();
  EXPECT_DOUBLE_EQ(means.at("loss"), (10 * 1.0 + 30 * 4.0) / 40);
  EXPECT_NEAR(means.at("accuracy"), (10 * 0.5 + 30 * 0.8) / 40, 1e-11);
}

TEST(MetricSums, AMetricIsAveragedOverThoseWhoReportIt) {
  MetricSums sums;
  sums.Add({{"loss", 1.0}}, 10);
  sums.Add({{"loss", 3.0}, {"f1", 0.25}}, 10);
  EXPECT_DOUBLE_EQ(sums.Means().at("f1"), 0.25);
  EXPECT_DOUBLE_EQ(sums.Means().at("loss"), 2.0);
}

TEST(MetricSums, MergingInAnyGroupingGivesTheSame) {
  Rng rng(7);
  std::vector<std::pair<double, uint64_t>> reports;
  for (int i = 0; i < 50; ++i) reports.emplace_back(rng.Normal(), 1 + rng.Below(900));
  MetricSums flat;
  for (const auto& [loss, n] : reports) flat.Add({{"loss", loss}}, n);
  for (int trial = 0; trial < 10; ++trial) {
    rng.Shuffle(reports);
    std::vector<MetricSums> groups(1 + rng.Below(8));
    for (const auto& [loss, n] : reports) {
      groups[rng.Below(groups.size())].Add({{"loss", loss}}, n);
    }
    MetricSums merged;
    for (const MetricSums& group : groups) merged.Merge(group);
    EXPECT_EQ(merged.sums().at("loss").weighted, flat.sums().at("loss").weighted);
    EXPECT_EQ(merged.sums().at("loss").weight, flat.sums().at("loss").weight);
  }
}

TEST(MetricSums, ADivergedWorkerDoesNotHideTheOthers) {
  MetricSums sums;
  sums.Add({{"loss", 2.0}}, 10);
  for (const double bad : {double{NAN}, double{INFINITY}, -double{INFINITY}, 1e300}) {
    sums.Add({{"loss", bad}}, 10);
  }
  EXPECT_DOUBLE_EQ(sums.Means().at("loss"), 2.0);
}

TEST(MetricSums, WithoutSamplesThereIsNoMean) {
  MetricSums sums;
  sums.Add({{"loss", 2.0}}, 0);
  EXPECT_TRUE(sums.Means().empty());
}

}  // namespace
}  // namespace skein
