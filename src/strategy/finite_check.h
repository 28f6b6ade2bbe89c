#ifndef SKEIN_SRC_STRATEGY_FINITE_CHECK_H_
#define SKEIN_SRC_STRATEGY_FINITE_CHECK_H_

#include <cstdint>

#include <absl/status/status.h>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// Looks through tensors for NaN and Inf, the elements in order, while they arrive.
class FiniteCheck {
 public:
  // `tensors` must stay.
  explicit FiniteCheck(const PackedTensors& tensors) : tensors_(tensors) {}

  // Goes on to the last element that ends within `received` bytes. InvalidArgument names the tensor
  // and the index.
  absl::Status Advance(uint64_t received);

 private:
  const PackedTensors& tensors_;
  size_t tensor_ = 0;
  uint64_t element_ = 0;  // of it, the next one
};

// All at once.
absl::Status CheckFinite(const PackedTensors& tensors);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_FINITE_CHECK_H_
