#ifndef SKEIN_STRATEGY_SERVER_OPTIMIZER_H_
#define SKEIN_STRATEGY_SERVER_OPTIMIZER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "skein/tensor/manifest.h"

namespace skein {

// Turns the aggregated difference into the next model, at the coordinator. Applies to float
// parameters; buffers take their mean. One thread at a time; may hold state from round to round.
class ServerOptimizer {
 public:
  virtual ~ServerOptimizer() = default;

  // Called once before the tensors of a step; counts steps for those that need it.
  virtual void BeginStep(const Manifest& model) = 0;

  // next[k] = x[k] + what the optimizer makes of mean_delta[k], for elements offset.. of a tensor.
  // All spans have the same length; calls cover each parameter exactly once, in any chunks.
  virtual void Step(size_t tensor, uint64_t offset, std::span<const double> x,
                    std::span<const double> mean_delta, std::span<double> next) = 0;

  // Takes over what `previous` has gathered: an optimizer made of the same part, whose place this
  // one takes in the middle of a run with other parameters. Called before any step.
  virtual void Continue(const ServerOptimizer& previous) { static_cast<void>(previous); }
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_SERVER_OPTIMIZER_H_
