#ifndef SKEIN_STRATEGY_NUMERIC_PLAN_H_
#define SKEIN_STRATEGY_NUMERIC_PLAN_H_

#include <cstdint>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// The fixed-point format of one tensor's sums; see docs/architecture.md, "Exact sums".
struct TensorScale {
  int scale_bits = 0;  // S: a value v of weight w adds round_half_even(v * w * 2^S)
  int bound_log2 = 0;  // V_max = 2^bound_log2: updates with |v| > V_max are refused
  friend bool operator==(const TensorScale&, const TensorScale&) = default;
};

// Fixed for a run: made once from the initial model, it travels with every model version. Holds one
// entry a tensor of the model's manifest; entries of non-float tensors are unused.
struct NumericPlan {
  uint64_t max_update_weight = 1;  // w_max
  uint64_t max_total_weight = 1;   // W_max
  std::vector<TensorScale> scales;
  friend bool operator==(const NumericPlan&, const NumericPlan&) = default;
};

// S = min(62 - ceil(log2 W_max), 50 - ceil(log2 w_max)) - ceil(log2 V_max), with W_max = w_max *
// num_workers and V_max = 2^ceil(log2(max(min_bound, 64 * max|x|))) of the tensor's initial value.
// Buffers travel as values, which grow far beyond their start (running statistics begin at 0 and
// 1), and companions begin at 0: their V_max is 2^16 at least.
// InvalidArgument if the initial model has a NaN or Inf (names tensor and index), if it has more
// than 2^31 workers or w_max is 0 or above 2^40.
absl::StatusOr<NumericPlan> MakeNumericPlan(const PackedTensors& initial,
                                            uint64_t max_update_weight, uint64_t num_workers,
                                            double min_bound = 1);

}  // namespace skein

#endif  // SKEIN_STRATEGY_NUMERIC_PLAN_H_
