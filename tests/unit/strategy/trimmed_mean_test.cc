#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include "strategy/elements.h"
#include "unit/strategy/robust_rows.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ValueAt;

PartSpec Trim(int64_t count) { return {"trimmed-mean", {{"trim", count}}}; }
PartSpec Beta(double beta) { return {"trimmed-mean", {{"beta", beta}}}; }

Rows Column(const std::vector<double>& values) {
  Rows rows;
  for (const double value : values) rows.push_back({value});
  return rows;
}

// Yin et al. 2018, worked out by NumPy.
TEST(TrimmedMean, LeavesOutTheLowestAndTheHighestOfEachElement) {
  EXPECT_THAT(FoldRows(Trim(1), Column({1, 2, 3, 4, 100})), ElementsAre(3));
  EXPECT_THAT(FoldRows(Beta(.2), Column({1, 2, 3, 4, 5, 6, 7, 8, 9, 1000})), ElementsAre(5.5));
  EXPECT_FLOAT_EQ(FoldRows(Trim(2), Column({5, 1, 9, 3, 7, 100, -50, 2, 4}))[0], 4.2f);
}

TEST(TrimmedMean, WithoutTrimIsTheMeanAndWithMostOfItTheMedian) {
  const Rows rows = Column({1, 2, 4, 8, 100});
  EXPECT_THAT(FoldRows(Trim(0), rows), ElementsAre(23));
  EXPECT_THAT(FoldRows(Trim(2), rows), ElementsAre(4));
}

// In binary, 0.29 * 100 and 0.57 * 100 are less than they should be; the second is beyond a half.
TEST(TrimmedMean, AFractionIsRoundedDownFromWhatItMeans) {
  std::vector<double> values;
  for (int k = 0; k < 100; ++k) values.push_back(k < 29 ? -1e6 : k < 71 ? 3 : 1e6);
  EXPECT_THAT(FoldRows(Beta(.29), Column(values)), ElementsAre(3));
}

TEST(TrimmedMean, TooFewToCutAnythingOffAreTooFew) {
  const auto fewest = [](const PartSpec& spec) {
    return Make(BuiltinStrategies().folds, spec.name, spec.params)->MinContributions();
  };
  EXPECT_EQ(fewest({"trimmed-mean", {}}), 5) << "beta is 0.2";
  EXPECT_EQ(fewest(Beta(.3)), 4);
  EXPECT_EQ(fewest(Beta(.01)), 100);
  EXPECT_EQ(fewest(Trim(0)), 1);
  EXPECT_EQ(fewest(Trim(3)), 7);
  const auto updates = UpdatesOf(Column({1, 2}));
  EXPECT_THAT(Message(TryFold(Trim(1), updates, updates[0].tensors).status()),
              HasSubstr("fold 'trimmed-mean' needs 3 contributions, 2 trim + 1 with trim = 1, and "
                        "2 came"));
  EXPECT_THAT(Refusal(BuiltinStrategies().folds, "trimmed-mean", {{"trim", 1}, {"beta", .2}}),
              HasSubstr("not both"));
}

// Element by element, the plain way, for all types.
TEST(TrimmedMean, MatchesAPlainOne) {
  Rng rng(21);
  const PackedTensors base = testing::RandomModel(testing::MixedManifest(), 0.1, rng);
  for (const size_t count : {3u, 10u, 33u}) {
    const size_t trim = (count - 1) / 3;
    const auto updates = testing::RandomUpdates(base, count, 10, 0.05, rng);
    const auto result = TryFold(Trim(static_cast<int64_t>(trim)), updates, base);
    ASSERT_TRUE(result.ok()) << result.status();
    for (size_t t = 0; t < base.manifest().size(); ++t) {
      const TensorInfo& info = base.manifest()[t];
      for (uint64_t i = 0; i < info.NumElements(); ++i) {
        std::vector<double> values;
        for (const auto& update : updates) values.push_back(ValueAt(update.tensors, t, i));
        std::ranges::sort(values);
        double expected = 0;
        for (size_t k = trim; k < count - trim; ++k) expected += values[k];
        expected /= static_cast<double>(count - 2 * trim);
        if (!IsFloat(info.dtype)) expected = std::nearbyint(expected);  // half to even
        if (IsFloat(info.dtype) && info.role == TensorRole::kParameter) {
          expected += ValueAt(base, t, i);
        }
        PackedTensors rounded(testing::MakeManifest({{"x", info.dtype, {}}}));
        testing::SetValue(rounded, 0, 0, expected);
        ASSERT_EQ(ValueAt(*result, t, i), ValueAt(rounded, 0, 0)) << info.name << " at " << i;
      }
    }
  }
}

TEST(TrimmedMean, IntegersOfAnySizeHaveAMean) {
  const Manifest manifest = testing::MakeManifest({{"n", DType::kInt64, {2}, TensorRole::kBuffer}});
  const int64_t rows[3][2] = {{INT64_MAX, -1}, {INT64_MAX - 1, -2}, {INT64_MAX - 2, -2}};
  std::vector<testing::SampleUpdate> updates;
  for (const auto& row : rows) {
    PackedTensors update(manifest);
    std::memcpy(update.mutable_bytes().data(), row, sizeof(row));
    updates.push_back({{}, update});
  }
  const auto mean = TryFold(Trim(0), updates, updates[0].tensors);
  ASSERT_TRUE(mean.ok()) << mean.status();
  std::vector<int64_t> values(2);
  LoadInts(DType::kInt64, mean->bytes(), 0, values);
  EXPECT_THAT(values, ElementsAre(INT64_MAX - 1, -2));
}

}  // namespace
}  // namespace skein
