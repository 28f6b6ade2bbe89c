#include "strategy/geometric_median/weiszfeld.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "strategy/held/term_sums.h"

namespace skein {

absl::StatusOr<Weiszfeld> Weiszfeld::Begin(const WeiszfeldRule& rule,
                                           std::span<const uint64_t> samples,
                                           std::vector<double> largest) {
  Weiszfeld steps(rule);
  for (const uint64_t count : samples) {
    steps.alpha_.push_back(rule.by_samples ? static_cast<double>(count) : 1);
  }
  const double total = std::accumulate(steps.alpha_.begin(), steps.alpha_.end(), 0.0);
  if (total == 0) {
    return absl::FailedPreconditionError(
        "fold 'geometric-median' weighs by samples, and no contribution has any");
  }
  for (double& value : steps.alpha_) value /= total;
  steps.weights_ = steps.alpha_;
  steps.largest_ = std::move(largest);
  return steps;
}

void Weiszfeld::Step(std::span<const double> squared_distances) {
  for (size_t k = 0; k < weights_.size(); ++k) {
    weights_[k] = alpha_[k] / std::max(rule_.nu, std::sqrt(squared_distances[k]));
  }
  --left_;
}

double Weiszfeld::total() const { return std::accumulate(weights_.begin(), weights_.end(), 0.0); }

int Weiszfeld::scale_bits() const {
  double largest = 0;
  for (size_t k = 0; k < weights_.size(); ++k) {
    largest = std::max(largest, weights_[k] * largest_[k]);
  }
  return ScaleBits(largest, weights_.size());
}

}  // namespace skein
