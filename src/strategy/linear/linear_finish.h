#ifndef SKEIN_SRC_STRATEGY_LINEAR_LINEAR_FINISH_H_
#define SKEIN_SRC_STRATEGY_LINEAR_LINEAR_FINISH_H_

#include <span>

#include "skein/strategy/server_optimizer.h"
#include "strategy/linear/linear_intake.h"

namespace skein {

// Whole sums of contributions to one base, of positive weight.
struct LinearPart {
  LinearSums* sums = nullptr;
  double coefficient = 1;
  const PackedTensors* base = nullptr;  // to mix models; null: differences
  double divisor = 1;                   // of float parameters' sums: W, or what a scaling makes it
};

// The next model: x' = float32(double(x) + step of the parts' mixture), see Mixing; the mean of a
// part is double(sum) / (2^S * divisor). All models have the manifest of `current`. It is written
// over the sums of the first part, a few elements at a time, each when its sums have been read:
// nothing may be done with these after that.
PackedTensors FinishLinear(std::span<const LinearPart> parts, const PackedTensors& current,
                           ServerOptimizer& optimizer);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_LINEAR_FINISH_H_
