#include "skein/data/partition.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

std::vector<int64_t> BalancedLabels(size_t classes, size_t per_class) {
  std::vector<int64_t> labels(classes * per_class);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int64_t>(i % classes);
  return labels;
}

// Disjoint, and together all samples.
void ExpectPartitions(const Partition& parts, size_t num_samples) {
  std::vector<int> seen(num_samples);
  for (const std::vector<uint32_t>& part : parts) {
    for (const uint32_t index : part) {
      ASSERT_LT(index, num_samples);
      ++seen[index];
    }
  }
  EXPECT_EQ(std::ranges::count(seen, 1), static_cast<ptrdiff_t>(num_samples));
}

TEST(PartitionIid, DealsOutEverySampleOnceInNearEqualParts) {
  for (const auto& [samples, workers] :
       {std::pair<size_t, size_t>{103, 10}, {60000, 32}, {7, 7}, {5, 1}}) {
    const absl::StatusOr<Partition> parts = PartitionIid(samples, workers, 3);
    ASSERT_TRUE(parts.ok());
    ASSERT_EQ(parts->size(), workers);
    ExpectPartitions(*parts, samples);
    for (size_t w = 0; w < workers; ++w) {
      EXPECT_EQ((*parts)[w].size(), samples / workers + (w < samples % workers ? 1 : 0));
    }
  }
}

TEST(PartitionIid, IsAFunctionOfTheSeed) {
  const auto draw = [](uint64_t seed) { return *PartitionIid(1000, 7, seed); };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
  // Pinned: a change would change the digest of every run.
  EXPECT_EQ(*PartitionIid(10, 3, 42), (Partition{{0, 6, 2, 5}, {4, 9, 8}, {7, 3, 1}}));
}

TEST(PartitionIid, IsShuffledWithoutBias) {
  // How often each of 8 samples lands in the first of two parts.
  std::vector<int> first(8);
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    const Partition parts = *PartitionIid(8, 2, seed);
    for (const uint32_t index : parts[0]) ++first[index];
  }
  for (const int count : first) EXPECT_NEAR(count, 2000, 5 * std::sqrt(1000));
}

TEST(Partition, RefusesFewerSamplesThanWorkers) {
  const absl::StatusOr<Partition> parts = PartitionIid(3, 4, 1);
  EXPECT_TRUE(absl::IsInvalidArgument(parts.status()));
  EXPECT_THAT(Message(parts.status()), HasSubstr("3 samples are too few for 4 workers"));
  EXPECT_TRUE(absl::IsInvalidArgument(PartitionIid(3, 0, 1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      PartitionIid(size_t{1} << 33, 4, 1).status()));  // before any memory is taken
  EXPECT_TRUE(absl::IsInvalidArgument(PartitionDirichlet({0, 1}, 3, {}, 1).status()));
}

struct Skew {
  double max_share = 0;    // share of a worker's largest class, mean over workers
  double variation = 0;    // total variation from the uniform distribution of labels, mean
  double num_classes = 0;  // mean
  double size_cv = 0;      // standard deviation of the sizes over their mean
};

Skew Measure(const Partition& parts, const std::vector<int64_t>& labels, size_t classes) {
  Skew skew;
  double sum = 0, squares = 0;
  const auto workers = static_cast<double>(parts.size());
  for (const std::vector<uint32_t>& part : parts) {
    std::vector<double> counts(classes);
    for (const uint32_t index : part) ++counts[static_cast<size_t>(labels[index])];
    const auto size = static_cast<double>(part.size());
    double variation = 0;
    for (const double count : counts) {
      variation += std::abs(count / size - 1.0 / static_cast<double>(classes)) / 2;
      skew.num_classes += (count > 0 ? 1 : 0) / workers;
    }
    skew.max_share += *std::ranges::max_element(counts) / size / workers;
    skew.variation += variation / workers;
    sum += size;
    squares += size * size;
  }
  const double mean = sum / workers;
  skew.size_cv = std::sqrt(squares / workers - mean * mean) / mean;
  return skew;
}

// Mean over draws, and the 95 % range of single draws, for 10 workers and 10 classes of 6000.
struct Band {
  double alpha;
  Skew mean, low, high;
};
const Band kBands[] = {
    {0.1, {.596, .681, 6.59, .66}, {.483, .620, 5.7, .41}, {.704, .743, 7.3, 1.00}},
    {0.3, {.417, .516, 9.23, .47}, {.336, .455, 8.8, .28}, {.507, .580, 9.65, .67}},
    {0.5, {.351, .435, 9.82, .37}, {.291, .381, 9.5, .21}, {.426, .494, 10.0, .55}},
    {1.0, {.276, .333, 9.99, .29}, {.233, .286, 9.9, .16}, {.328, .378, 10.0, .42}},
    {10., {.150, .112, 10.0, .09}, {.139, .094, 10., .05}, {.161, .129, 10.0, .14}},
};

TEST(PartitionDirichlet, SkewLiesInTheKnownBands) {
  constexpr double Skew::*kMeasures[] = {&Skew::max_share, &Skew::variation, &Skew::num_classes,
                                         &Skew::size_cv};
  constexpr int kDraws = 12;
  const std::vector<int64_t> labels = BalancedLabels(10, 6000);
  for (const Band& band : kBands) {
    Skew mean;
    for (uint64_t seed = 0; seed < kDraws; ++seed) {
      const absl::StatusOr<Partition> parts =
          PartitionDirichlet(labels, 10, {.alpha = band.alpha}, seed);
      ASSERT_TRUE(parts.ok()) << parts.status();
      const Skew skew = Measure(*parts, labels, 10);
      for (const auto measure : kMeasures) mean.*measure += skew.*measure / kDraws;
    }
    for (const auto measure : kMeasures) {
      // The mean of the draws deviates less than a draw, by the root of their number; doubled,
      // and with the rounding of the published numbers.
      const double spread = (band.high.*measure - band.low.*measure) / std::sqrt(kDraws) + .01;
      EXPECT_NEAR(mean.*measure, band.mean.*measure, spread)
          << "alpha " << band.alpha << ", measure " << (&measure - kMeasures);
    }
  }
}

TEST(PartitionDirichlet, SharesHaveTheMomentsOfTheirBetaDistribution) {
  // A worker's share of a class is Beta(a, (N-1)a): mean 1/N, variance (1/N)(1-1/N)/(Na+1).
  const std::vector<int64_t> labels = BalancedLabels(10, 1000);
  for (const auto& [alpha, variance] :
       {std::pair{0.1, .045}, {0.3, .0225}, {0.5, .015}, {1.0, .0081818}, {10.0, .00089109}}) {
    double sum = 0, squares = 0;
    int count = 0;
    for (uint64_t seed = 0; seed < 60; ++seed) {
      const absl::StatusOr<Partition> parts =
          PartitionDirichlet(labels, 10, {.alpha = alpha, .min_samples = 0}, seed);
      ASSERT_TRUE(parts.ok());
      for (const std::vector<uint32_t>& part : *parts) {
        std::vector<double> counts(10);
        for (const uint32_t index : part) ++counts[static_cast<size_t>(labels[index])];
        for (const double share : counts) {
          sum += share / 1000;
          squares += share * share / 1e6;
          ++count;
        }
      }
    }
    const double mean = sum / count;
    EXPECT_NEAR(mean, 0.1, 1e-9);
    EXPECT_NEAR((squares / count - mean * mean) / variance, 1, .12) << alpha;
  }
}

TEST(PartitionDirichlet, DealsOutEverySampleOnce) {
  std::vector<int64_t> labels = BalancedLabels(7, 113);
  for (size_t i = 0; i < 50; ++i) labels.push_back(-3);  // labels need not start at 0
  for (const double alpha : {0.05, 0.5, 100.0}) {
    const absl::StatusOr<Partition> parts = PartitionDirichlet(
        labels, 9, {.alpha = alpha, .min_samples = 1, .max_attempts = 100000}, 5);
    ASSERT_TRUE(parts.ok()) << parts.status();
    ExpectPartitions(*parts, labels.size());
  }
}

TEST(PartitionDirichlet, IsAFunctionOfTheSeed) {
  const std::vector<int64_t> labels = BalancedLabels(10, 100);
  const auto draw = [&](uint64_t seed) { return *PartitionDirichlet(labels, 5, {}, seed); };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
  // Indices of a worker are shuffled, not grouped by class.
  const std::vector<uint32_t> part = draw(1)[0];
  size_t changes = 0;
  for (size_t i = 1; i < part.size(); ++i) changes += labels[part[i]] != labels[part[i - 1]];
  EXPECT_GT(changes, 30u);
}

TEST(PartitionDirichlet, GivesEveryWorkerItsMinimum) {
  const std::vector<int64_t> labels = BalancedLabels(10, 100);
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const absl::StatusOr<Partition> parts =
        PartitionDirichlet(labels, 10, {.alpha = 0.3, .min_samples = 40}, seed);
    ASSERT_TRUE(parts.ok()) << parts.status();
    for (const std::vector<uint32_t>& part : *parts) EXPECT_GE(part.size(), 40u);
  }
}

TEST(PartitionDirichlet, TinyAlphaGivesWholeClassesAway) {
  // The gammas themselves, and at 1e-320 their logarithms, are beyond a double here.
  const std::vector<int64_t> labels = BalancedLabels(10, 50);
  for (const double alpha : {1e-3, 1e-12, 1e-300, 1e-320}) {
    std::set<size_t> takers;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const absl::StatusOr<Partition> parts =
          PartitionDirichlet(labels, 4, {.alpha = alpha, .min_samples = 0}, seed);
      ASSERT_TRUE(parts.ok()) << parts.status();
      ExpectPartitions(*parts, labels.size());
      if (alpha == 1e-3) continue;
      for (size_t w = 0; w < parts->size(); ++w) {
        EXPECT_EQ((*parts)[w].size() % 50, 0u) << alpha;
        if (!(*parts)[w].empty()) takers.insert(w);
      }
    }
    if (alpha != 1e-3) {
      EXPECT_EQ(takers.size(), 4u);
    }
  }
}

TEST(PartitionDirichlet, RefusesBadOptions) {
  const std::vector<int64_t> labels = BalancedLabels(10, 10);
  const auto refused = [&](const DirichletOptions& options) {
    return absl::IsInvalidArgument(PartitionDirichlet(labels, 5, options, 1).status());
  };
  for (const double alpha : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_TRUE(refused({.alpha = alpha})) << alpha;
  }
  EXPECT_TRUE(refused({.min_samples = 21}));  // 5 x 21 > 100
  EXPECT_TRUE(refused({.min_samples = std::numeric_limits<size_t>::max()}));
  EXPECT_TRUE(refused({.max_attempts = 0}));
  EXPECT_FALSE(refused({}));
}

TEST(PartitionDirichlet, GivesUpWithARemedy) {
  const std::vector<int64_t> labels = BalancedLabels(10, 100);
  const absl::Status status =
      PartitionDirichlet(labels, 20, {.alpha = 0.01, .min_samples = 50, .max_attempts = 20}, 1)
          .status();
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(Message(status),
            "partition: none of 20 draws gave each of 20 workers 50 samples; raise alpha, lower "
            "min_samples or use fewer workers");
}

}  // namespace
}  // namespace skein
