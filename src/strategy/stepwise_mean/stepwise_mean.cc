#include "strategy/stepwise_mean/stepwise_mean.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace skein {

void StepwiseMean::Step(std::span<const double> squared_distances) {
  std::vector<double> distances(squared_distances.size());
  std::ranges::transform(squared_distances, distances.begin(),
                         [](double squared) { return std::sqrt(squared); });
  Reweigh(distances);
  --left_;
}

void StepwiseMean::Become(std::vector<double> weights, double total) {
  double largest = 0;
  for (size_t k = 0; k < weights.size(); ++k) {
    largest = std::max(largest, weights[k] * largest_[k]);
  }
  const int scale_bits = ScaleBits(largest, weights.size());
  mean_ = {.weights = std::move(weights), .total = total, .scale_bits = scale_bits};
}

}  // namespace skein
