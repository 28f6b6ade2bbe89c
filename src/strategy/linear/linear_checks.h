#ifndef SKEIN_SRC_STRATEGY_LINEAR_LINEAR_CHECKS_H_
#define SKEIN_SRC_STRATEGY_LINEAR_LINEAR_CHECKS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <absl/status/statusor.h>

#include "skein/base/fixed128.h"
#include "skein/strategy/numeric_plan.h"
#include "strategy/linear/integers.h"

namespace skein {

// What must hold of contributions before they are added, so that the kernels are right and sums
// cannot wrap. All errors are InvalidArgument.

// The weight as the whole number from 1 to 2^63 - 1 that it must be.
absl::StatusOr<int64_t> WholeWeight(Fixed128 weight);

// One scale a tensor of `model`, with |q| <= 2^50 for one update and sums within 2^62.
absl::Status CheckNumericPlan(const NumericPlan& plan, const Manifest& model);

// The sums that the updates' bounds allow for a total weight.
IntRange ScaledRange(const TensorScale& scale, int64_t weight, size_t updates);

// Every float32 element of `bytes` is finite and within 2^bound_log2. Names tensor and index.
absl::Status CheckFloats(const TensorInfo& info, std::span<const std::byte> bytes, int bound_log2);

// Every element of `bytes`, stored as `stored`, lies in `range`. Names tensor and index.
absl::Status CheckIntegers(const TensorInfo& info, DType stored, std::span<const std::byte> bytes,
                           IntRange range, const std::string& complaint);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_LINEAR_CHECKS_H_
