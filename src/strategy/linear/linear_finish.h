#ifndef SKEIN_SRC_STRATEGY_LINEAR_LINEAR_FINISH_H_
#define SKEIN_SRC_STRATEGY_LINEAR_LINEAR_FINISH_H_

#include "skein/strategy/server_optimizer.h"
#include "strategy/linear/linear_intake.h"

namespace skein {

// The next model from whole sums: x' = float32(double(x) + step of double(sum) / (2^S * W)). `base`
// has the model's manifest and the total weight is positive.
PackedTensors FinishLinear(const LinearSums& sums, const PackedTensors& base,
                           ServerOptimizer& optimizer, BufferPool& buffers);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_LINEAR_FINISH_H_
