#include "strategy/krum/krum_select.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "unit/strategy/robust_rows.h"

namespace skein {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using testing::SampleUpdate;
using testing::ValueAt;

const Rows kLine = {{0}, {.9}, {2}, {2.5}, {10}};

PartSpec Krum(int64_t f) { return {"krum", {{"f", f}}}; }
PartSpec MultiKrum(int64_t f, int64_t m) { return {"multi-krum", {{"f", f}, {"m", m}}}; }
PartSpec Bulyan(int64_t f) { return {"bulyan", {{"f", f}}}; }

std::vector<double> ScoresOf(const Rows& rows, size_t f) {
  return KrumScores(DistancesOf(rows), f);
}

auto Near(const std::vector<double>& values, double within) {
  std::vector<::testing::Matcher<double>> near;
  for (const double value : values) near.push_back(DoubleNear(value, within));
  return ElementsAreArray(near);
}

TEST(Krum, ScoresAreTheSumsOfTheNearestDistances) {
  EXPECT_THAT(ScoresOf(kLine, 1), Near({4.81, 2.02, 1.46, 2.81, 120.25}, 1e-9));
  EXPECT_THAT(ScoresOf(kPoints, 1), Near({2.93, 3.13, 2.93, 3.13, 1.48, 436.52, 1.41}, 1e-9));
}

TEST(Krum, TakesTheBest) {
  EXPECT_THAT(FoldRows(Krum(1), kLine), ElementsAre(2));
  EXPECT_THAT(FoldRows(Krum(1), kPoints), Near({.4, .6}, 1e-7));
}

TEST(MultiKrum, IsTheMeanOfTheBest) {
  EXPECT_THAT(MultiKrumSelect(DistancesOf(kLine), 1, 3), ElementsAre(2, 1, 3));
  EXPECT_THAT(FoldRows(MultiKrum(1, 3), kLine), Near({1.8}, 1e-7));
  EXPECT_THAT(MultiKrumSelect(DistancesOf(kPoints), 1, 4), ElementsAre(6, 4, 0, 2));
  EXPECT_THAT(FoldRows(MultiKrum(1, 4), kPoints), Near({.225, .5}, 1e-7));
  EXPECT_THAT(FoldRows({"multi-krum", {{"f", 1}}}, kPoints), Near({.225, .5}, 1e-7))
      << "n - f - 2 unless said otherwise";
}

TEST(Bulyan, TakesTheBestOfThoseThatAreLeft) {
  EXPECT_THAT(RepeatedKrumSelect(DistancesOf(kPoints), 1, 5), ElementsAre(6, 4, 0, 1, 2));
  const Rows line = {{1}, {2}, {3}, {4}, {5}, {6.5}, {100}};
  EXPECT_THAT(RepeatedKrumSelect(DistancesOf(line), 1, 5), ElementsAre(2, 3, 1, 4, 0));
}

TEST(Bulyan, IsTheMeanOfTheValuesAroundTheMedian) {
  EXPECT_THAT(FoldRows(Bulyan(1), kPoints), Near({.3, 1.0 / 3}, 1e-7));
  EXPECT_THAT(FoldRows(Bulyan(1), {{1}, {2}, {3}, {4}, {5}, {6.5}, {100}}), ElementsAre(3));
}

// Three in a row are as good as each other: it is the leaf that decides, not who came first.
TEST(Krum, TiesGoToTheLowestLeaf) {
  const Rows rows = {{2}, {1}, {3}};
  auto updates = UpdatesOf(rows);
  const PackedTensors base =
      testing::Filled(updates[0].tensors.manifest(), [](auto, auto) { return 0.0; });
  std::ranges::sort(updates, {}, [](const SampleUpdate& u) { return u.header.leaf; });
  do {
    const auto best = TryFold(Krum(0), updates, base);
    ASSERT_TRUE(best.ok()) << best.status();
    EXPECT_EQ(ValueAt(*best, 0, 0), 2);
  } while (std::ranges::next_permutation(updates, {}, [](const SampleUpdate& u) {
             return u.header.leaf;
           }).found);
}

TEST(Krum, TooFewAreAnErrorThatNamesRuleAndNumbers) {
  const auto refusal = [](const PartSpec& spec, size_t count) {
    const auto updates = UpdatesOf(Rows(count, {1}));
    const absl::Status status = TryFold(spec, updates, updates[0].tensors).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    return Message(status);
  };
  EXPECT_EQ(refusal(Krum(2), 6),
            "fold 'krum' needs 7 contributions, 2f + 3 with f = 2, and 6 came");
  EXPECT_EQ(refusal(MultiKrum(1, 6), 6),
            "fold 'multi-krum' needs 7 contributions, m + f with m = 6 and f = 1, and 6 came");
  EXPECT_EQ(refusal(MultiKrum(2, 1), 6),
            "fold 'multi-krum' needs 7 contributions, 2f + 3 with f = 2, and 6 came");
  EXPECT_EQ(refusal(Bulyan(1), 6),
            "fold 'bulyan' needs 7 contributions, 4f + 3 with f = 1, and 6 came");
  EXPECT_THAT(Refusal(BuiltinStrategies().folds, "krum"), HasSubstr("'f'"));
}

// f liars, whatever they say, if they say it together or each for itself.
TEST(Krum, LiarsAreNotTaken) {
  Rng rng(31);
  for (const PartSpec& spec : {Krum(3), MultiKrum(3, 4), Bulyan(3)}) {
    for (int trial = 0; trial < 20; ++trial) {
      const bool together = trial % 2 == 0;
      Rows rows(15, std::vector<double>(40));
      const double lie = 1e3 * rng.Normal();
      for (size_t k = 0; k < rows.size(); ++k) {
        const bool liar = k % 5 == 0;
        for (double& value : rows[k]) {
          value = !liar ? rng.Normal() : together ? lie : 1e3 * rng.Normal();
        }
      }
      for (const double value : FoldRows(spec, rows)) {
        EXPECT_LT(std::abs(value), 10) << spec.name << ", trial " << trial;
      }
    }
  }
}

// Straightforward doubles, indices exact.
struct Plain {
  static std::vector<size_t> Best(const Rows& rows, size_t f) {
    std::vector<std::pair<double, size_t>> scores;
    for (size_t i = 0; i < rows.size(); ++i) {
      std::vector<double> others;
      for (size_t j = 0; j < rows.size(); ++j) {
        if (i != j) others.push_back(SquaredDistanceOf(rows[i], rows[j]));
      }
      std::ranges::sort(others);
      const size_t nearest = rows.size() > f + 3 ? rows.size() - f - 2 : 1;
      double score = 0;
      for (size_t k = 0; k < nearest && k < others.size(); ++k) score += others[k];
      scores.push_back({score, i});
    }
    std::ranges::sort(scores);
    std::vector<size_t> best;
    for (const auto& [score, i] : scores) best.push_back(i);
    return best;
  }

  static std::vector<double> Mean(const Rows& rows, const std::vector<size_t>& which) {
    std::vector<double> mean(rows[0].size());
    for (const size_t k : which) {
      for (size_t i = 0; i < mean.size(); ++i) {
        mean[i] += rows[k][i] / static_cast<double>(which.size());
      }
    }
    return mean;
  }

  static std::vector<double> Bulyan(Rows rows, size_t f) {
    const size_t theta = rows.size() - 2 * f;
    Rows selected;
    while (selected.size() < theta) {
      const size_t best = Best(rows, f)[0];
      selected.push_back(rows[best]);
      rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(best));
    }
    std::vector<double> result;
    for (size_t i = 0; i < selected[0].size(); ++i) {
      std::vector<double> values;
      for (const auto& row : selected) values.push_back(row[i]);
      std::ranges::sort(values);
      const double median = (values[(theta - 1) / 2] + values[theta / 2]) / 2;
      std::ranges::stable_sort(values, {}, [&](double v) { return std::abs(v - median); });
      values.resize(theta - 2 * f);
      result.push_back(std::accumulate(values.begin(), values.end(), 0.0) /
                       static_cast<double>(values.size()));
    }
    return result;
  }
};

TEST(Krum, MatchesAPlainOne) {
  Rng rng(33);
  for (int trial = 0; trial < 40; ++trial) {
    const size_t f = rng.Below(4);
    const Rows rows = RandomRows(4 * f + 3 + rng.Below(20), 1 + rng.Below(300), rng);
    SCOPED_TRACE("trial " + std::to_string(trial));
    const auto best = Plain::Best(rows, f);
    const auto limit = static_cast<int64_t>(f);
    EXPECT_EQ(FoldRows(Krum(limit), rows), rows[best[0]]);
    const size_t m = 1 + rng.Below(rows.size() - f - 2);
    EXPECT_THAT(MultiKrumSelect(DistancesOf(rows), f, m),
                ElementsAreArray(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(m)));
    const auto mean =
        Plain::Mean(rows, {best.begin(), best.begin() + static_cast<std::ptrdiff_t>(m)});
    EXPECT_THAT(FoldRows(MultiKrum(limit, static_cast<int64_t>(m)), rows), Near(mean, 1e-5));
    EXPECT_THAT(FoldRows(Bulyan(limit), rows), Near(Plain::Bulyan(rows, f), 1e-5));
  }
}

// 24 updates of 4 MiB, four of which may stay in memory.
TEST(Krum, TakesLittleMoreThanItsBudgetAndTheResult) {
  Rng rng(37);
  const PackedTensors base =
      testing::RandomModel(testing::MakeManifest({{"a", DType::kFloat32, {1 << 20}}}), 0.1, rng);
  constexpr uint64_t kModel = uint64_t{4} << 20;
  for (PartSpec spec :
       {Krum(2), MultiKrum(2, 5), Bulyan(2), PartSpec{"geometric-median", {}},
        PartSpec{"centered-clipping", {{"clip", 1}}}, PartSpec{"trimmed-mean", {}}}) {
    spec.params["memory_mb"] = 16;
    const auto pool = std::make_shared<BufferPool>();
    const auto fold = Make(BuiltinStrategies().folds, spec.name, spec.params);
    NumericPlan plan;
    plan.max_update_weight = 1;
    auto accumulator = fold->NewAccumulator(base.manifest(), plan, pool);
    for (size_t k = 0; k < 24; ++k) {
      PackedTensors staged(base.manifest(), *pool);
      std::ranges::copy(base.bytes(), staged.mutable_bytes().begin());
      UpdateHeader header;
      header.leaf = static_cast<LeafIndex>(k);
      header.num_samples = 1;
      auto intake = accumulator->Begin(header, staged);
      ASSERT_TRUE(intake.ok()) << intake.status();
      ASSERT_TRUE((*intake)->Complete().ok());
    }
    testing::PlainStep step;
    ASSERT_TRUE(accumulator->Finish(base, step).ok());
    accumulator.reset();
    // All that was ever taken at the same time is idle now.
    EXPECT_GE(pool->idle_bytes(), 5 * kModel) << spec.name;
    EXPECT_LE(pool->idle_bytes(), 5 * kModel + (1 << 20)) << spec.name;
  }
}

// Distances are of the float parameters of all tensors together. Buffers and integers take the
// median of those that were selected.
TEST(Krum, GoesByAllParametersAndByNothingElse) {
  const Manifest manifest =
      testing::MakeManifest({{"steps", DType::kInt64, {}, TensorRole::kBuffer},
                             {"a", DType::kFloat32, {2}},
                             {"running", DType::kFloat32, {}, TensorRole::kBuffer},
                             {"b", DType::kFloat64, {}}});
  const PackedTensors base = testing::Filled(manifest, [](auto, auto) { return 0.0; });
  const Manifest layout = *UpdateManifest(manifest);
  std::vector<SampleUpdate> updates;
  // By the parameters, 1 is in the middle; buffers and integers say otherwise.
  const double steps[] = {5, 900, 5, 5, 5};
  const double running[] = {1, 1e6, 1, 1, 1};
  const double a[] = {0, .1, .2, 0, 9};
  const double b[] = {.1, .1, .1, 3, .1};
  for (size_t k = 0; k < 5; ++k) {
    UpdateHeader header;
    header.leaf = static_cast<LeafIndex>(k);
    updates.push_back({header, testing::Filled(layout, [&](size_t t, uint64_t) {
                         return t == 0 ? steps[k] : t == 1 ? a[k] : t == 2 ? running[k] : b[k];
                       })});
  }
  const auto one = TryFold(Krum(1), updates, base);
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(ValueAt(*one, 1, 0), static_cast<float>(.1));
  EXPECT_EQ(ValueAt(*one, 0, 0), 900);
  updates[0].tensors = updates[2].tensors;  // 0 and 2 are the best now
  const auto two = TryFold(MultiKrum(1, 2), updates, base);
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_EQ(ValueAt(*two, 2, 0), 1);
  EXPECT_EQ(ValueAt(*two, 0, 0), 5);
}

}  // namespace
}  // namespace skein
