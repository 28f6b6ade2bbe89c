#ifndef SKEIN_SRC_STRATEGY_STEPWISE_MEAN_STEPWISE_CONDUCTOR_H_
#define SKEIN_SRC_STRATEGY_STEPWISE_MEAN_STEPWISE_CONDUCTOR_H_

#include <memory>

#include "strategy/passes/pass_conductor.h"
#include "strategy/stepwise_mean/stepwise_mean.h"

namespace skein {

// Such a mean over a tree: two passes a step, one for the iterate and one for the distances to it,
// and one for the last iterate; 32 before that if there are buffers or integers, of which it takes
// the median. The same bits as with all contributions at one node.
std::unique_ptr<PassConductor> MakeStepwiseConductor(BeginStepwiseMean begin,
                                                     const Manifest& update);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_STEPWISE_MEAN_STEPWISE_CONDUCTOR_H_
