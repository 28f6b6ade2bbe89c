#include "strategy/held/step_writer.h"

#include "strategy/elements.h"

namespace skein {

StepWriter::StepWriter(const PackedTensors& base, ServerOptimizer& optimizer, BufferPool& buffers)
    : base_(base), optimizer_(optimizer), next_(base.manifest(), buffers) {
  optimizer_.BeginStep(base.manifest());
}

void StepWriter::Floats(size_t tensor, uint64_t at, std::span<const double> found) {
  const TensorInfo& info = base_.manifest()[tensor];
  const auto out = next_.mutable_tensor(tensor);
  if (info.role == TensorRole::kBuffer) return StoreDoubles(info.dtype, found, out, at);
  x_.resize(found.size());
  y_.resize(found.size());
  LoadDoubles(info.dtype, base_.tensor(tensor), at, x_);
  optimizer_.Step(tensor, at, x_, found, y_);
  StoreDoubles(info.dtype, y_, out, at);
}

void StepWriter::Integers(size_t tensor, uint64_t at, std::span<const int64_t> found) {
  StoreInts(base_.manifest()[tensor].dtype, found, next_.mutable_tensor(tensor), at);
}

}  // namespace skein
