#ifndef SKEIN_TESTS_UNIT_STRATEGY_ROBUST_ROWS_H_
#define SKEIN_TESTS_UNIT_STRATEGY_ROBUST_ROWS_H_

#include <string>
#include <vector>

#include "strategy/held/distances.h"
#include "testing/fold_samples.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {

using Rows = std::vector<std::vector<double>>;

// Set A of the papers' rules: six points together and one far away.
inline const Rows kPoints = {{0, 0}, {1, 0}, {0, 1}, {1, 1}, {.5, .4}, {8, 8}, {.4, .6}};

// Updates of one float parameter, whose rows they are, of the leaves 0, 1, ...
inline std::vector<testing::SampleUpdate> UpdatesOf(const Rows& rows,
                                                    const std::vector<uint64_t>& samples = {}) {
  const Manifest manifest =
      testing::MakeManifest({{"x", DType::kFloat32, {static_cast<int64_t>(rows[0].size())}}});
  std::vector<testing::SampleUpdate> updates;
  for (size_t k = 0; k < rows.size(); ++k) {
    UpdateHeader header;
    header.leaf = static_cast<LeafIndex>(k);
    header.num_samples = samples.empty() ? 1 : samples[k];
    updates.push_back(
        {header, testing::Filled(manifest, [&](size_t, uint64_t i) { return rows[k][i]; })});
  }
  return updates;
}

inline absl::StatusOr<PackedTensors> TryFold(const PartSpec& spec,
                                             const std::vector<testing::SampleUpdate>& updates,
                                             const PackedTensors& base) {
  const auto fold = Make(BuiltinStrategies().folds, spec.name, spec.params);
  NumericPlan plan;
  plan.max_update_weight = 1000;
  const auto accumulator = fold->NewAccumulator(base.manifest(), plan);
  for (const testing::SampleUpdate& update : updates) {
    SKEIN_RETURN_IF_ERROR(accumulator->Add(update.header, update.tensors));
  }
  testing::PlainStep step;
  return accumulator->Finish(base, step);
}

// What the fold makes of them above a base of zeros.
inline std::vector<double> FoldRows(const PartSpec& spec, const Rows& rows,
                                    const std::vector<uint64_t>& samples = {}) {
  const auto updates = UpdatesOf(rows, samples);
  const PackedTensors base =
      testing::Filled(updates[0].tensors.manifest(), [](size_t, uint64_t) { return 0.0; });
  const auto next = TryFold(spec, updates, base);
  EXPECT_TRUE(next.ok()) << next.status();
  std::vector<double> result;
  for (size_t i = 0; next.ok() && i < rows[0].size(); ++i) {
    result.push_back(testing::ValueAt(*next, 0, i));
  }
  return result;
}

inline double SquaredDistanceOf(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

inline PairDistances DistancesOf(const Rows& rows) {
  PairDistances distances(rows.size());
  for (size_t b = 0; b < rows.size(); ++b) {
    for (size_t a = 0; a < b; ++a) distances.Add(a, b, SquaredDistanceOf(rows[a], rows[b]));
  }
  return distances;
}

// Values that are floats, normal; some rows far from the others.
inline Rows RandomRows(size_t count, size_t width, Rng& rng) {
  Rows rows(count, std::vector<double>(width));
  for (auto& row : rows) {
    const double spread = rng.Below(5) == 0 ? 30 : 1;
    for (double& value : row) value = static_cast<float>(spread * rng.Normal());
  }
  return rows;
}

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_STRATEGY_ROBUST_ROWS_H_
