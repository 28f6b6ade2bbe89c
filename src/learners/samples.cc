#include "skein/learners/samples.h"

#include <string>

#include <ATen/ATen.h>

namespace skein {
namespace {

// How many samples are in a tensor; none if it has no rows.
int64_t RowsOf(const at::Tensor& tensor) {
  return tensor.defined() && tensor.dim() > 0 ? tensor.size(0) : 0;
}

}  // namespace

absl::StatusOr<Samples> TensorSamples(at::Tensor inputs, at::Tensor targets) {
  const int64_t count = RowsOf(inputs);
  if (count != RowsOf(targets)) {
    return absl::InvalidArgumentError(std::to_string(count) + " inputs and " +
                                      std::to_string(RowsOf(targets)) +
                                      " targets; there must be one for each");
  }
  Samples samples;
  samples.count = static_cast<uint64_t>(count);
  samples.get = [inputs = std::move(inputs),
                 targets = std::move(targets)](const at::Tensor& indices) {
    return Batch{inputs.index_select(0, indices), targets.index_select(0, indices)};
  };
  return samples;
}

Batch StackSamples(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& targets) {
  return {at::stack(inputs), at::stack(targets)};
}

}  // namespace skein
