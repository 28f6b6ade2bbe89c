#ifndef SKEIN_SRC_STRATEGY_LINEAR_LINEAR_CHECKS_H_
#define SKEIN_SRC_STRATEGY_LINEAR_LINEAR_CHECKS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <absl/status/statusor.h>

#include "skein/base/fixed128.h"
#include "skein/strategy/numeric_plan.h"
#include "strategy/linear/integers.h"

namespace skein {

// What must hold of contributions before they are added, so that the kernels are right and sums
// cannot wrap. All errors are InvalidArgument.

// The highest that users may set a bound: beyond it sums could not hold changes as they are.
inline constexpr double kLargestBound = 1e9;

// The weight as the whole number from 1 to 2^63 - 1 that it must be.
absl::StatusOr<int64_t> WholeWeight(Fixed128 weight);

// One scale a tensor of `model`, with |q| <= 2^50 for one update and sums within 2^62.
absl::Status CheckNumericPlan(const NumericPlan& plan, const Manifest& model);

// The sums that the updates' bounds allow for a total weight.
IntRange ScaledRange(const TensorScale& scale, int64_t weight, size_t updates);

// Elements first .. first + count of a tensor.
struct ElementRange {
  uint64_t first = 0;
  uint64_t count = 0;
};

// An element that is not allowed, and an error that names tensor and index.
struct BadElement {
  uint64_t index = 0;
  absl::Status status;
};

// The first element of the range that is not finite or beyond 2^bound_log2. `tensor` is float32.
std::optional<BadElement> FindBadFloat(const TensorInfo& info, std::span<const std::byte> tensor,
                                       ElementRange range, int bound_log2);

// The first element of the range outside `allowed`. The bytes are of info.dtype.
std::optional<BadElement> FindBadInteger(const TensorInfo& info, std::span<const std::byte> tensor,
                                         ElementRange range, IntRange allowed,
                                         const std::string& complaint);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_LINEAR_CHECKS_H_
