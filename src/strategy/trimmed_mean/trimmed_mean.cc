#include "strategy/trimmed_mean/trimmed_mean.h"

#include <cmath>

#include "skein/base/status.h"
#include "skein/base/value.h"
#include "strategy/held/columns.h"
#include "strategy/held/holding_fold.h"

namespace skein {
namespace {

// 0.29 * 100 is a little less than 29 in binary.
constexpr double kSlack = 1e-9;
constexpr double kDefaultBeta = 0.2;

// How many are cut off at either end.
struct Trim {
  int count = 0;    // unless there is a fraction
  double beta = 0;  // of all

  size_t Of(size_t contributions) const {
    if (beta == 0) return static_cast<size_t>(count);
    return static_cast<size_t>(std::floor(beta * static_cast<double>(contributions) + kSlack));
  }
  // A fraction of so few that none would be cut off is no trimmed mean.
  int Least() const {
    if (beta == 0) return 2 * count + 1;
    return static_cast<int>(std::ceil((1 - kSlack) / beta));
  }
  std::string Why() const {
    if (beta == 0) return "2 trim + 1 with trim = " + std::to_string(count);
    return "so that beta = " + ToJson(Value(beta)) + " cuts off one at either end";
  }
};

void MeanOfMiddle(const FloatColumns& columns, size_t trim, std::span<double> out) {
  SortRows(columns);
  for (size_t k = trim; k < columns.rows - trim; ++k) {
    const auto row = columns.row(k);
    for (size_t i = 0; i < out.size(); ++i) {
      const double value = FloatOf(row[i]);
      out[i] = k == trim ? value : out[i] + value;  // 0 + -0 would lose the sign
    }
  }
  for (double& value : out) value /= static_cast<double>(columns.rows - 2 * trim);
}

// Half to even. The sum may be wider than an element.
void MeanOfMiddle(const IntegerColumns& columns, size_t trim, std::span<int64_t> out) {
  SortRows(columns);
  const auto count = static_cast<__int128>(columns.rows - 2 * trim);
  for (size_t i = 0; i < out.size(); ++i) {
    __int128 sum = 0;
    for (size_t k = trim; k < columns.rows - trim; ++k) sum += columns.row(k)[i];
    __int128 quotient = sum / count;
    __int128 rest = sum % count;
    if (rest < 0) {
      rest += count;
      --quotient;
    }
    if (2 * rest > count || (2 * rest == count && quotient % 2 != 0)) ++quotient;
    out[i] = static_cast<int64_t>(quotient);
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
  return MakeHoldingFold({.name = "trimmed-mean",
                          .min_contributions = trim.Least(),
                          .why = trim.Why(),
                          .finish =
                              [trim](const HeldUpdates& updates, const PackedTensors& base,
                                     ServerOptimizer& optimizer, BufferPool& buffers) {
                                return FinishTrimmed(trim, updates, base, optimizer, buffers);
                              }},
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
