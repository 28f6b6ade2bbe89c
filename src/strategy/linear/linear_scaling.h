#ifndef SKEIN_SRC_STRATEGY_LINEAR_LINEAR_SCALING_H_
#define SKEIN_SRC_STRATEGY_LINEAR_LINEAR_SCALING_H_

#include <limits>
#include <span>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/strategy/contribution.h"

namespace skein {

// What an update gives to a linear fold, beside its weight.
struct LinearShare {
  double scale = 1;             // of its float tensors, as a part of its weight: 0 to 1
  std::vector<double> scalars;  // what it adds to those of the fold, in their order; not negative
};

// For linear folds that multiply an update by something else than its weight, or divide by
// something else than the total weight. What comes out is
//   x' = x + (sum of weight * scale * delta) / Divisor(sum of weights, sums of scalars)
// for float parameters; buffers and averaged integers are weighted by the weights alone.
// Immutable; shared by threads.
class LinearScaling {
 public:
  virtual ~LinearScaling() = default;
  // Whether ShareOf goes by the update's norm: then nothing is folded before all of it is there.
  virtual bool NeedsNorm() const { return false; }
  virtual bool NeedsInitialLoss() const { return false; }  // see Fold
  virtual double LongestUpdate() const { return std::numeric_limits<double>::infinity(); }
  // `norm` is the L2 norm over the float parameters taken together; 0 unless it is needed.
  // InvalidArgument: the update does not say what the fold needs.
  virtual absl::StatusOr<LinearShare> ShareOf(const UpdateHeader& header, double norm) const = 0;
  // Names of the scalars, as they travel in partials.
  virtual std::vector<std::string> ScalarNames() const { return {}; }
  virtual double Divisor(double total_weight, std::span<const double>) const {
    return total_weight;
  }
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_LINEAR_SCALING_H_
