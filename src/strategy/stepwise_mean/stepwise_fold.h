#ifndef SKEIN_SRC_STRATEGY_STEPWISE_MEAN_STEPWISE_FOLD_H_
#define SKEIN_SRC_STRATEGY_STEPWISE_MEAN_STEPWISE_FOLD_H_

#include <memory>
#include <string>

#include "skein/strategy/fold.h"
#include "strategy/held/held_updates.h"
#include "strategy/stepwise_mean/stepwise_mean.h"

namespace skein {

struct StepwiseTraits {
  bool weighs_samples = false;
  bool needs_changes = false;  // see Fold
};

// A fold that holds all contributions, or works in passes over a tree, and finds their mean in
// steps. Of buffers and integers, of which no distances tell, it takes the median.
std::shared_ptr<const Fold> MakeStepwiseFold(std::string name, StepwiseTraits traits,
                                             BeginStepwiseMean begin, HoldLimits limits);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_STEPWISE_MEAN_STEPWISE_FOLD_H_
