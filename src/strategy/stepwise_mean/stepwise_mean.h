#ifndef SKEIN_SRC_STRATEGY_STEPWISE_MEAN_STEPWISE_MEAN_H_
#define SKEIN_SRC_STRATEGY_STEPWISE_MEAN_STEPWISE_MEAN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

#include "strategy/held/term_sums.h"

namespace skein {

// A robust mean that is found in steps. Each iterate is a weighted sum of the contributions, so
// their weights, in the order of their leaves, are all that is kept of it; a step makes new ones
// of the distances to the present iterate. For one round; used by one thread.
class StepwiseMean {
 public:
  virtual ~StepwiseMean() = default;

  // Whether another step is to be taken, for which it wants the distances to the present iterate.
  bool wants_distances() const { return left_ > 0; }
  void Step(std::span<const double> squared_distances);

  // The present iterate.
  const TermMean& mean() const { return mean_; }

 protected:
  // `largest`: of each contribution, the largest magnitude of an element.
  StepwiseMean(int64_t steps, std::vector<double> largest)
      : left_(steps), largest_(std::move(largest)) {}

  // The iterate sum(weights[k] w_k) / total.
  void Become(std::vector<double> weights, double total);

 private:
  // Ends with a call of Become.
  virtual void Reweigh(std::span<const double> distances) = 0;

  int64_t left_ = 0;
  const std::vector<double> largest_;
  TermMean mean_;
};

// The first iterate of contributions with so many samples. FailedPrecondition if there is none.
using BeginStepwiseMean = std::function<absl::StatusOr<std::unique_ptr<StepwiseMean>>(
    std::span<const uint64_t> samples, std::vector<double> largest)>;

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_STEPWISE_MEAN_STEPWISE_MEAN_H_
