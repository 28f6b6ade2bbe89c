#include "skein/runtime/local_steps.h"

namespace skein {

// SGD does v = r v + g + mu (w - x) and w = w - lr v. With gradients of 1 and (w - x) = -lr * norm,
// norm' = norm + v is how often gradients have entered.
void LocalSteps::Add(const LocalStep& step) {
  velocity_ = step.momentum * velocity_ + 1 - step.lr * step.pull * norm_;
  norm_ += velocity_;
  lr_sum_ += step.lr;
  ++count_;
}

}  // namespace skein
