#ifndef SKEIN_STRATEGY_SERVER_OPTIMIZER_H_
#define SKEIN_STRATEGY_SERVER_OPTIMIZER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include <absl/status/status.h>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// Turns the aggregated difference into the next model, at the coordinator. Applies to float
// parameters; buffers take their mean. One thread at a time; may hold state from round to round,
// which can be saved beside a model and taken up again.
class ServerOptimizer {
 public:
  virtual ~ServerOptimizer() = default;

  // Called once, before any step, when the model is known: takes up the state that its parameter
  // `state` names. InvalidArgument if that belongs to another model or optimizer.
  virtual absl::Status Prepare(const Manifest& model) {
    static_cast<void>(model);
    return absl::OkStatus();
  }

  // Called before a step: the share of all workers whose updates are in it, from 0 to 1; it is 1
  // until something else is said.
  virtual void SetParticipation(double share) { static_cast<void>(share); }

  // Called once before the tensors of a step; counts steps for those that need it.
  virtual void BeginStep(const Manifest& model) = 0;

  // next[k] = x[k] + what the optimizer makes of mean_delta[k], for elements offset.. of a tensor.
  // All spans have the same length; calls cover each parameter exactly once, in any chunks.
  virtual void Step(size_t tensor, uint64_t offset, std::span<const double> x,
                    std::span<const double> mean_delta, std::span<double> next) = 0;

  // Takes over what `previous` has gathered: an optimizer made of the same part, whose place this
  // one takes in the middle of a run with other parameters. Called before any step.
  virtual void Continue(const ServerOptimizer& previous) { static_cast<void>(previous); }

  // What it has gathered, as tensors, for a file. No value if it gathers nothing or has made no
  // step. Refers to the optimizer's memory: valid until the next step.
  virtual PackedTensors State() const { return {}; }
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_SERVER_OPTIMIZER_H_
