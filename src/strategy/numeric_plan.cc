#include "skein/strategy/numeric_plan.h"

#include <algorithm>

#include "skein/base/status.h"
#include "strategy/finite_check.h"
#include "strategy/magnitude.h"

namespace skein {
namespace {

constexpr uint64_t kMaxUpdateWeight = uint64_t{1} << 40;
constexpr uint64_t kMaxWorkers = uint64_t{1} << 31;
constexpr double kHeadroom = 64;  // updates may be this much larger than the initial values
constexpr double kMinBufferBound = 65536;

}  // namespace

absl::StatusOr<NumericPlan> MakeNumericPlan(const PackedTensors& initial,
                                            uint64_t max_update_weight, uint64_t num_workers,
                                            double min_bound) {
  if (max_update_weight == 0 || max_update_weight > kMaxUpdateWeight) {
    return absl::InvalidArgumentError("the bound on one update's weight is " +
                                      std::to_string(max_update_weight) +
                                      ", it must be from 1 to 2^40");
  }
  if (num_workers == 0 || num_workers > kMaxWorkers) {
    return absl::InvalidArgumentError("there must be from 1 to 2^31 workers");
  }
  SKEIN_RETURN_IF_ERROR(CheckFinite(initial));
  NumericPlan plan;
  plan.max_update_weight = max_update_weight;
  const bool overflow = CeilLog2(max_update_weight) + CeilLog2(num_workers) > 63;
  plan.max_total_weight = overflow ? UINT64_MAX : max_update_weight * num_workers;
  const int log_total = overflow ? CeilLog2(max_update_weight) + CeilLog2(num_workers)
                                 : CeilLog2(plan.max_total_weight);
  const int bits = std::min(62 - log_total, 50 - CeilLog2(max_update_weight));
  for (size_t i = 0; i < initial.manifest().size(); ++i) {
    TensorScale scale;
    if (IsFloat(initial.manifest()[i].dtype)) {
      const double largest = LargestMagnitude(initial, i);
      // Beyond 2^120 the bound itself would leave float32's range.
      const bool parameter = initial.manifest()[i].role == TensorRole::kParameter;
      const double least = parameter ? min_bound : std::max(min_bound, kMinBufferBound);
      scale.bound_log2 = std::min(120, CeilLog2(std::max(least, kHeadroom * largest)));
      scale.scale_bits = bits - scale.bound_log2;
    }
    plan.scales.push_back(scale);
  }
  return plan;
}

}  // namespace skein
