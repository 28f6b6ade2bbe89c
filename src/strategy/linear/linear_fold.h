#ifndef SKEIN_SRC_STRATEGY_LINEAR_LINEAR_FOLD_H_
#define SKEIN_SRC_STRATEGY_LINEAR_LINEAR_FOLD_H_

#include <functional>
#include <memory>

#include "skein/strategy/fold.h"
#include "skein/strategy/params.h"
#include "strategy/linear/integers.h"
#include "strategy/linear/linear_scaling.h"
#include "strategy/linear/linear_shape.h"

namespace skein {

// What users may set of every linear fold.
struct LinearOptions {
  IntegerRule integers = IntegerRule::kMaximum;
  double min_bound = 1;
};

// What distinguishes one linear fold from another.
struct LinearRule {
  // An update's weight; 0 refuses it.
  std::function<uint64_t(const UpdateHeader&)> weight;
  std::function<uint64_t(uint64_t max_samples)> max_weight;
  LinearOptions options;
  // Null: the mean weighted by the weights.
  std::shared_ptr<const LinearScaling> scaling;
};

// A fold whose partials are exact 64-bit sums of weighted updates: FedAvg, the uniform mean, and
// with a scaling FedNova, q-FedAvg, clipped means.
std::shared_ptr<const Fold> MakeLinearFold(LinearRule rule, const LinearEngine& engine = {});

// The parameters that linear folds share.
ParamSchema LinearSchema();
LinearOptions LinearOptionsOf(const Params& params);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_LINEAR_FOLD_H_
