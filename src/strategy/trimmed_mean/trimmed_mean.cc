#include "strategy/trimmed_mean/trimmed_mean.h"

#include <cmath>
#include <vector>

#include "skein/base/status.h"
#include "strategy/held/columns.h"
#include "strategy/held/holding_fold.h"
#include "strategy/held/term_sums.h"
#include "strategy/passes/order_conductor.h"
#include "strategy/trimmed_mean/kept_values.h"
#include "strategy/trimmed_mean/trim.h"

namespace skein {
namespace {

constexpr double kDefaultBeta = 0.2;

void MeanOfMiddle(const FloatColumns& columns, size_t trim, std::span<double> out) {
  SortRows(columns);
  const size_t last = columns.rows - 1 - trim;
  const uint64_t count = columns.rows - 2 * trim;
  std::vector<int> bits(out.size());
  std::vector<int64_t> sums(out.size());
  for (size_t i = 0; i < out.size(); ++i) {
    bits[i] = KeptScaleBits(FloatOf(columns.row(trim)[i]), FloatOf(columns.row(last)[i]), count);
    out[i] = std::ldexp(1.0, bits[i]);
  }
  for (size_t k = trim; k <= last; ++k) AddTerms(columns.row(k), out, sums);
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = KeptMean(sums[i], bits[i], count, FloatOf(columns.row(last)[i]));
  }
}

void MeanOfMiddle(const IntegerColumns& columns, size_t trim, std::span<int64_t> out) {
  SortRows(columns);
  for (size_t i = 0; i < out.size(); ++i) {
    __int128 sum = 0;
    for (size_t k = trim; k < columns.rows - trim; ++k) sum += columns.row(k)[i];
    out[i] = KeptMean(sum, columns.rows - 2 * trim);
  }
}

absl::StatusOr<PackedTensors> FinishTrimmed(const Trim& trim, const HeldUpdates& updates,
                                            const PackedTensors& base, ServerOptimizer& optimizer,
                                            BufferPool& buffers) {
  SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates.Open());
  const size_t cut = trim.Of(view.size());
  const auto floats = [cut](const FloatColumns& columns, std::span<double> out) {
    MeanOfMiddle(columns, cut, out);
  };
  const ColumnRule rule{.parameters = floats,
                        .buffers = floats,
                        .integers = [cut](const IntegerColumns& columns, std::span<int64_t> out) {
                          MeanOfMiddle(columns, cut, out);
                        }};
  return FinishColumns(std::move(view), rule, base, optimizer, buffers);
}

absl::StatusOr<std::shared_ptr<const Fold>> MakeTrimmedMean(const Params& params) {
  if (params.Has("trim") && params.Has("beta")) {
    return absl::InvalidArgumentError(
        "fold 'trimmed-mean': give 'trim', a number, or 'beta', a fraction, and not both");
  }
  Trim trim;
  if (params.Has("trim")) {
    trim.count = static_cast<int>(params.Int("trim"));
  } else {
    trim.beta = params.RealOr("beta", kDefaultBeta);
  }
  return MakeHoldingFold(
      {.name = "trimmed-mean",
       .min_contributions = trim.Least(),
       .why = trim.Why(),
       .finish =
           [trim](const HeldUpdates& updates, const PackedTensors& base, ServerOptimizer& optimizer,
                  BufferPool& buffers) {
             return FinishTrimmed(trim, updates, base, optimizer, buffers);
           },
       .conduct = [trim](const Manifest& update) { return MakeTrimmedConductor(trim, update); }},
      HoldLimitsOf(params));
}

}  // namespace

// Of each coordinate by itself: the mean of what is left when the b lowest and the b highest are
// cut off (Yin et al. 2018, Definition 2), b = trim or floor(beta n).
absl::Status RegisterTrimmedMean(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "trimmed-mean",
       .summary = "mean of each element over the updates without the lowest and the highest; holds "
                  "all of them, beyond memory_mb in a file",
       .source = "Yin et al. 2018, arXiv 1803.01498",
       .schema = HoldingSchema(
           {{.name = "trim",
             .type = ParamSpec::Type::kInt,
             .min = 0,
             .max = 1e6,
             .doc = "values cut off at either end, a number; else beta says how many"},
            {.name = "beta",
             .type = ParamSpec::Type::kReal,
             .min = 1e-6,
             .max = 0.49,
             .doc = "values cut off at either end, a fraction of all; 0.2 unless trim is set"}})},
      MakeTrimmedMean);
}

}  // namespace skein
