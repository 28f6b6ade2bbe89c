#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "strategy/elements.h"
#include "strategy/held/column_sort.h"
#include "testing/fold_samples.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using testing::Filled;
using testing::MakeManifest;
using testing::PlainStep;
using testing::RandomModel;
using testing::RandomUpdates;
using testing::SameBytes;
using testing::SampleUpdate;
using testing::ValueAt;

std::unique_ptr<Accumulator> NewMedian(const Manifest& model, int64_t memory_mb,
                                       std::shared_ptr<BufferPool> pool) {
  const auto fold = Make(BuiltinStrategies().folds, "median", {{"memory_mb", memory_mb}});
  return fold->NewAccumulator(model, NumericPlan{}, std::move(pool));
}

PackedTensors MedianOf(const std::vector<SampleUpdate>& updates, const PackedTensors& base,
                       int64_t memory_mb = 256) {
  const auto accumulator = NewMedian(base.manifest(), memory_mb, std::make_shared<BufferPool>());
  for (const SampleUpdate& update : updates) {
    const absl::Status added = accumulator->Add(update.header, update.tensors);
    EXPECT_TRUE(added.ok()) << added;
  }
  PlainStep step;
  return accumulator->Finish(base, step).value();
}

// Updates of one float tensor, whose rows they are; the base is zero.
PackedTensors MedianOfRows(const std::vector<std::vector<double>>& rows) {
  const Manifest manifest =
      MakeManifest({{"x", DType::kFloat32, {static_cast<int64_t>(rows[0].size())}}});
  std::vector<SampleUpdate> updates;
  for (const auto& row : rows) {
    UpdateHeader header;
    header.num_samples = 1 + updates.size() * 1000;  // they do not weigh
    updates.push_back({header, Filled(manifest, [&](size_t, uint64_t i) { return row[i]; })});
  }
  return MedianOf(updates, Filled(manifest, [](size_t, uint64_t) { return 0.0; }));
}

TEST(SortColumns, SortsEveryColumnWhateverTheirLength) {
  Rng rng(5);
  for (size_t count = 1; count <= 70; ++count) {
    constexpr size_t kWidth = 5;
    std::vector<int> rows(count * kWidth);
    for (int& value : rows) value = static_cast<int>(rng.Below(20)) - 10;  // some are equal
    std::vector<int> expected = rows;
    for (size_t column = 0; column < kWidth; ++column) {
      std::vector<int> values;
      for (size_t k = 0; k < count; ++k) values.push_back(rows[k * kWidth + column]);
      std::ranges::sort(values);
      for (size_t k = 0; k < count; ++k) expected[k * kWidth + column] = values[k];
    }
    SortColumns(std::span(rows), count, kWidth);
    EXPECT_EQ(rows, expected) << count;
  }
}

// By the zero-one principle: it sorts everything if it sorts zeros and ones.
TEST(SortColumns, SortsAllZerosAndOnes) {
  for (size_t count = 1; count <= 12; ++count) {
    const size_t width = size_t{1} << count;  // a column for each
    std::vector<int> rows(count * width);
    for (size_t k = 0; k < count; ++k) {
      for (size_t column = 0; column < width; ++column) {
        rows[k * width + column] = static_cast<int>(column >> k & 1);
      }
    }
    SortColumns(std::span(rows), count, width);
    for (size_t k = 1; k < count; ++k) {
      for (size_t column = 0; column < width; ++column) {
        ASSERT_LE(rows[(k - 1) * width + column], rows[k * width + column]) << count;
      }
    }
  }
}

// Yin et al. 2018, worked out by NumPy.
TEST(Median, IsTheMeanOfTheTwoInTheMiddleForAnEvenNumber) {
  const PackedTensors result = MedianOfRows({{1, 10}, {2, 20}, {3, 30}, {100, -5}});
  EXPECT_EQ(ValueAt(result, 0, 0), 2.5);
  EXPECT_EQ(ValueAt(result, 0, 1), 15);
}

TEST(Median, IsTheOneInTheMiddleForAnOddNumber) {
  const PackedTensors result = MedianOfRows({{1e30, -7}, {2, 1e-30}, {-1e30, -1e30}});
  EXPECT_EQ(ValueAt(result, 0, 0), 2);
  EXPECT_EQ(ValueAt(result, 0, 1), -7);
}

TEST(Median, FewerThanHalfOfTheWorkersCannotMoveItOutOfTheOthersRange) {
  Rng rng(9);
  for (size_t count : {3u, 4u, 9u, 10u, 41u}) {
    std::vector<std::vector<double>> rows;
    for (size_t k = 0; k < count; ++k) {
      const bool liar = k < (count - 1) / 2;
      rows.push_back({liar ? 1e9 * rng.Normal() : rng.Uniform()});
    }
    const double median = ValueAt(MedianOfRows(rows), 0, 0);
    EXPECT_GE(median, 0) << count;
    EXPECT_LE(median, 1) << count;
  }
}

// Element by element, the plain way.
TEST(Median, MatchesAPlainMedianForAllTypes) {
  Rng rng(11);
  const PackedTensors base = RandomModel(testing::MixedManifest(), 0.1, rng);
  for (const size_t count : {1u, 2u, 3u, 10u, 33u}) {
    const auto updates = RandomUpdates(base, count, 10, 0.05, rng);
    const PackedTensors result = MedianOf(updates, base);
    for (size_t t = 0; t < base.manifest().size(); ++t) {
      const TensorInfo& info = base.manifest()[t];
      for (uint64_t i = 0; i < info.NumElements(); ++i) {
        std::vector<double> values;
        for (const SampleUpdate& update : updates) values.push_back(ValueAt(update.tensors, t, i));
        std::ranges::sort(values);
        double expected = (values[(count - 1) / 2] + values[count / 2]) / 2;
        if (!IsFloat(info.dtype)) expected = std::nearbyint(expected);  // half to even
        if (IsFloat(info.dtype) && info.role == TensorRole::kParameter) {
          expected += ValueAt(base, t, i);
        }
        PackedTensors rounded(MakeManifest({{"x", info.dtype, {}}}));
        testing::SetValue(rounded, 0, 0, expected);
        ASSERT_EQ(ValueAt(result, t, i), ValueAt(rounded, 0, 0)) << info.name << " at " << i;
      }
    }
  }
}

TEST(Median, IntegersOfAnySizeHaveAMiddle) {
  const Manifest manifest = MakeManifest({{"n", DType::kInt64, {4}, TensorRole::kBuffer}});
  constexpr int64_t kMax = INT64_MAX, kMin = INT64_MIN;
  const std::vector<std::vector<int64_t>> rows = {{kMax, kMin, kMin, 1}, {kMax - 2, kMax, kMin, 2}};
  std::vector<SampleUpdate> updates;
  for (const auto& row : rows) {
    PackedTensors update(manifest);
    std::memcpy(update.mutable_bytes().data(), row.data(), 4 * sizeof(int64_t));
    updates.push_back({{}, update});
  }
  const PackedTensors result = MedianOf(updates, updates[0].tensors);
  std::vector<int64_t> middle(4);
  std::memcpy(middle.data(), result.bytes().data(), 4 * sizeof(int64_t));
  EXPECT_EQ(middle, (std::vector<int64_t>{kMax - 1, 0, kMin, 2})) << "half to even";
}

TEST(Median, OfTwoZerosDoesNotDependOnWhichCameFirst) {
  EXPECT_TRUE(
      SameBytes(MedianOfRows({{0.0}, {-0.0}, {0.0}}), MedianOfRows({{-0.0}, {0.0}, {0.0}})));
  EXPECT_TRUE(SameBytes(MedianOfRows({{0.0}, {-0.0}}), MedianOfRows({{-0.0}, {0.0}})));
}

TEST(Median, IsTheSameBitForBitFromTheFile) {
  Rng rng(13);
  // Some pages long, so that the file's pages are let go while it is read.
  const PackedTensors base = RandomModel(
      MakeManifest({{"a", DType::kFloat32, {1000, 301}}, {"b", DType::kFloat32, {77}}}), 0.1, rng);
  const auto updates = RandomUpdates(base, 9, 10, 0.05, rng);
  const PackedTensors in_memory = MedianOf(updates, base);
  EXPECT_TRUE(SameBytes(MedianOf(updates, base, 0), in_memory));
  EXPECT_TRUE(SameBytes(MedianOf(updates, base, 3), in_memory)) << "two there, seven here";
}

TEST(Median, TakesLittleMoreThanItsBudgetAndTheResult) {
  Rng rng(17);
  const PackedTensors base =
      RandomModel(MakeManifest({{"a", DType::kFloat32, {1 << 20}}}), 0.1, rng);
  constexpr uint64_t kModel = uint64_t{4} << 20;
  const auto pool = std::make_shared<BufferPool>();
  auto accumulator = NewMedian(base.manifest(), 16, pool);  // four updates
  for (int k = 0; k < 24; ++k) {
    PackedTensors staged(base.manifest(), *pool);
    std::ranges::copy(base.bytes(), staged.mutable_bytes().begin());
    auto intake = accumulator->Begin(UpdateHeader{}, staged);
    ASSERT_TRUE(intake.ok()) << intake.status();
    ASSERT_TRUE((*intake)->Complete().ok());
  }
  PlainStep step;
  ASSERT_TRUE(accumulator->Finish(base, step).ok());
  accumulator.reset();
  // All that was ever taken at the same time is idle now.
  EXPECT_GE(pool->idle_bytes(), 5 * kModel);
  EXPECT_LE(pool->idle_bytes(), 5 * kModel + (1 << 20));
}

}  // namespace
}  // namespace skein
