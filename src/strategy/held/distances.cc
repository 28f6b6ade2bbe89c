#include "strategy/held/distances.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/held/columns.h"

namespace skein {
namespace {

// Distances to a point are added up in steps of so many elements, however many updates there are:
// those of some of them, at a node below, are the same.
constexpr size_t kStep = 256;

bool IsMeasured(const TensorInfo& info) {
  return IsFloat(info.dtype) && info.role == TensorRole::kParameter;
}

// Calls visit(columns, at) with elements of the updates as doubles, `width` at a time, of the
// tensors for which `takes` holds; `at` counts those of the averaged tensors. There is room for one
// row more, behind the others.
template <typename Visit>
absl::Status ForElements(const HeldUpdates& updates, bool (*takes)(const TensorInfo&), size_t width,
                         BufferPool& buffers, Visit visit) {
  SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates.Open());
  const Manifest& layout = updates.layout();
  const auto memory = buffers.Take((view.size() + 1) * width * sizeof(double));
  auto* const values = reinterpret_cast<double*>(memory.get());
  uint64_t first = 0;
  for (size_t t = 0; t < layout.size(); ++t) {
    const TensorInfo& info = layout[t];
    const uint64_t elements = info.NumElements();
    for (uint64_t at = 0; takes(info) && at < elements; at += width) {
      const auto count = static_cast<size_t>(std::min<uint64_t>(width, elements - at));
      const Columns<double> columns{{values, (view.size() + 1) * count}, view.size(), count};
      for (size_t k = 0; k < view.size(); ++k) {
        const auto tensor = view.bytes(k).subspan(layout.offset(t), info.NumBytes());
        LoadDoubles(info.dtype, tensor, at, columns.row(k));
      }
      visit(columns, first + at);
      view.Passed(layout.offset(t) + (at + count) * SizeOf(info.dtype));
    }
    if (IsAveraged(info)) first += elements;
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

bool IsAveraged(const TensorInfo& info) {
  return IsFloat(info.dtype) && info.role != TensorRole::kBuffer;
}

absl::StatusOr<PairDistances> SquaredDistances(const HeldUpdates& updates, BufferPool& buffers) {
  PairDistances distances(updates.size());
  const auto add = [&](const Columns<double>& columns, uint64_t) {
    for (size_t b = 1; b < columns.rows; ++b) {
      for (size_t a = 0; a < b; ++a) {
        distances.Add(a, b, SquaredDistance(columns.row(a), columns.row(b)));
      }
    }
  };
  SKEIN_RETURN_IF_ERROR(
      ForElements(updates, IsMeasured, ColumnsAtATime(updates.size()), buffers, add));
  return distances;
}

absl::StatusOr<std::vector<double>> SquaredDistancesToMean(const HeldUpdates& updates,
                                                           const TermMean& mean,
                                                           BufferPool& buffers) {
  const double unit = std::ldexp(1.0, -mean.scale_bits);
  std::vector<double> distances(updates.size());
  std::vector<int64_t> sums;
  const auto add = [&](const Columns<double>& columns, uint64_t) {
    sums.assign(columns.width, 0);
    for (size_t k = 0; k < columns.rows; ++k) {
      AddTerms(columns.row(k), std::ldexp(mean.weights[k], mean.scale_bits), sums);
    }
    const auto point = columns.row(columns.rows);
    for (size_t i = 0; i < point.size(); ++i) point[i] = MeanOfTerms(sums[i], unit, mean.total);
    for (size_t k = 0; k < columns.rows; ++k) {
      distances[k] += SquaredDistance(columns.row(k), point);
    }
  };
  SKEIN_RETURN_IF_ERROR(ForElements(updates, IsMeasured, kStep, buffers, add));
  return distances;
}

absl::StatusOr<std::vector<double>> SquaredDistancesTo(const HeldUpdates& updates,
                                                       std::span<const double> point,
                                                       BufferPool& buffers) {
  uint64_t averaged = 0;
  for (const TensorInfo& info : updates.layout().tensors()) {
    if (IsAveraged(info)) averaged += info.NumElements();
  }
  if (point.size() != averaged) {
    return absl::InvalidArgumentError("the point has " + std::to_string(point.size()) +
                                      " elements, updates have " + std::to_string(averaged));
  }
  std::vector<double> distances(updates.size());
  const auto add = [&](const Columns<double>& columns, uint64_t at) {
    const auto other = point.subspan(at, columns.width);
    for (size_t k = 0; k < columns.rows; ++k) {
      distances[k] += SquaredDistance(columns.row(k), other);
    }
  };
  SKEIN_RETURN_IF_ERROR(ForElements(updates, IsMeasured, kStep, buffers, add));
  return distances;
}

absl::StatusOr<std::vector<double>> LargestAveraged(const HeldUpdates& updates,
                                                    BufferPool& buffers) {
  std::vector<double> largest(updates.size());
  const auto add = [&](const Columns<double>& columns, uint64_t) {
    for (size_t k = 0; k < columns.rows; ++k) {
      for (const double value : columns.row(k)) largest[k] = std::max(largest[k], std::abs(value));
    }
  };
  SKEIN_RETURN_IF_ERROR(ForElements(updates, IsAveraged, kStep, buffers, add));
  return largest;
}

}  // namespace skein
