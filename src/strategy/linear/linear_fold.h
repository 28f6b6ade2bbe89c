#ifndef SKEIN_SRC_STRATEGY_LINEAR_LINEAR_FOLD_H_
#define SKEIN_SRC_STRATEGY_LINEAR_LINEAR_FOLD_H_

#include <functional>
#include <memory>

#include "skein/strategy/fold.h"
#include "skein/strategy/params.h"
#include "strategy/linear/integers.h"

namespace skein {

// What distinguishes one linear fold from another.
struct LinearRule {
  // An update's weight; 0 refuses it.
  std::function<uint64_t(const UpdateHeader&)> weight;
  std::function<uint64_t(uint64_t max_samples)> max_weight;
  IntegerRule integers = IntegerRule::kMaximum;
};

// A fold whose partials are exact 64-bit sums of weighted updates: FedAvg, the uniform mean.
std::shared_ptr<const Fold> MakeLinearFold(LinearRule rule);

// The parameter `integers` that linear folds share.
ParamSchema LinearSchema();
IntegerRule IntegerRuleOf(const Params& params);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_LINEAR_FOLD_H_
