#ifndef SKEIN_RUNTIME_LOCAL_STEPS_H_
#define SKEIN_RUNTIME_LOCAL_STEPS_H_

#include <cstdint>

namespace skein {

// What one step of a local optimizer is like. Optimizers that are no SGD count as SGD without
// momentum.
struct LocalStep {
  double lr = 0;
  double momentum = 0;  // of SGD, without dampening
  double pull = 0;      // mu, where the gradient has mu (w - x) added: FedProx
};

// How far a learner has gone in a task: FedNova's ||a||_1 (Wang et al. 2020, arXiv 2007.07481,
// section 4), the sum of the weights with which gradients have entered the update, in units of the
// learning rate. A learner reports it as the metric "steps". A value; one thread at a time.
class LocalSteps {
 public:
  void Add(const LocalStep& step);

  uint64_t count() const { return count_; }
  // Plain SGD: count(). Momentum r: [t - r (1 - r^t) / (1 - r)] / (1 - r). A pull:
  // [1 - (1 - lr mu)^t] / (lr mu). With both, what the recursion of the two gives.
  double norm() const { return norm_; }
  // The sum of the learning rates.
  double lr_sum() const { return lr_sum_; }

 private:
  uint64_t count_ = 0;
  double norm_ = 0;
  double velocity_ = 0;
  double lr_sum_ = 0;
};

}  // namespace skein

#endif  // SKEIN_RUNTIME_LOCAL_STEPS_H_
