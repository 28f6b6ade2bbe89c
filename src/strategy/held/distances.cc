#include "strategy/held/distances.h"

#include <algorithm>
#include <numeric>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/held/columns.h"

namespace skein {
namespace {

// Calls visit(columns) with the updates' float parameters as doubles, some elements at a time.
// There is room for one row more, behind the others.
template <typename Visit>
absl::Status ForParameters(const HeldUpdates& updates, BufferPool& buffers, Visit visit) {
  SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates.Open());
  const Manifest& layout = updates.layout();
  const size_t width = ColumnsAtATime(view.size());
  const auto memory = buffers.Take((view.size() + 1) * width * sizeof(double));
  auto* const values = reinterpret_cast<double*>(memory.get());
  for (size_t t = 0; t < layout.size(); ++t) {
    const TensorInfo& info = layout[t];
    if (!IsFloat(info.dtype) || info.role != TensorRole::kParameter) continue;
    const uint64_t elements = info.NumElements();
    for (uint64_t at = 0; at < elements; at += width) {
      const auto count = static_cast<size_t>(std::min<uint64_t>(width, elements - at));
      const Columns<double> columns{{values, (view.size() + 1) * count}, view.size(), count};
      for (size_t k = 0; k < view.size(); ++k) {
        const auto tensor = view.bytes(k).subspan(layout.offset(t), info.NumBytes());
        LoadDoubles(info.dtype, tensor, at, columns.row(k));
      }
      visit(columns);
      view.Passed(layout.offset(t) + (at + count) * SizeOf(info.dtype));
    }
  }
  return absl::OkStatus();
}

// Four sums, which the machine can make at the same time.
double SquaredDistance(std::span<const double> a, std::span<const double> b) {
  double sums[4] = {};
  size_t i = 0;
  for (; i + 4 <= a.size(); i += 4) {
    for (size_t lane = 0; lane < 4; ++lane) {
      const double difference = a[i + lane] - b[i + lane];
      sums[lane] += difference * difference;
    }
  }
  for (; i < a.size(); ++i) sums[0] += (a[i] - b[i]) * (a[i] - b[i]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

absl::StatusOr<PairDistances> SquaredDistances(const HeldUpdates& updates, BufferPool& buffers) {
  PairDistances distances(updates.size());
  SKEIN_RETURN_IF_ERROR(ForParameters(updates, buffers, [&](const Columns<double>& columns) {
    for (size_t b = 1; b < columns.rows; ++b) {
      for (size_t a = 0; a < b; ++a) {
        distances.Add(a, b, SquaredDistance(columns.row(a), columns.row(b)));
      }
    }
  }));
  return distances;
}

absl::StatusOr<std::vector<double>> SquaredDistancesToMean(const HeldUpdates& updates,
                                                           std::span<const double> weights,
                                                           BufferPool& buffers) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> distances(updates.size());
  SKEIN_RETURN_IF_ERROR(ForParameters(updates, buffers, [&](const Columns<double>& columns) {
    const auto mean = columns.row(columns.rows);
    std::ranges::fill(mean, 0.0);
    for (size_t k = 0; k < columns.rows; ++k) {
      const auto row = columns.row(k);
      for (size_t i = 0; i < mean.size(); ++i) mean[i] += weights[k] * row[i];
    }
    for (double& value : mean) value /= total;
    for (size_t k = 0; k < columns.rows; ++k) distances[k] += SquaredDistance(columns.row(k), mean);
  }));
  return distances;
}

}  // namespace skein
