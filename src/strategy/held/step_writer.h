#ifndef SKEIN_SRC_STRATEGY_HELD_STEP_WRITER_H_
#define SKEIN_SRC_STRATEGY_HELD_STEP_WRITER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "skein/strategy/server_optimizer.h"
#include "skein/tensor/packed_tensors.h"

namespace skein {

// Writes the model after `base`, of what a fold has found for its elements: some at a time, each
// exactly once. All it is given must outlive it.
class StepWriter {
 public:
  StepWriter(const PackedTensors& base, ServerOptimizer& optimizer, BufferPool& buffers);

  // Elements `at` and on of a float tensor: of a buffer the value, of all else the difference, by
  // which the optimizer steps.
  void Floats(size_t tensor, uint64_t at, std::span<const double> found);
  // Of an integer tensor, or of bools.
  void Integers(size_t tensor, uint64_t at, std::span<const int64_t> found);

  PackedTensors Take() { return std::move(next_); }

 private:
  const PackedTensors& base_;
  ServerOptimizer& optimizer_;
  PackedTensors next_;
  std::vector<double> x_;  // what the optimizer steps from
  std::vector<double> y_;  // and to
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_HELD_STEP_WRITER_H_
