#ifndef SKEIN_SRC_STRATEGY_PASSES_ORDER_CONDUCTOR_H_
#define SKEIN_SRC_STRATEGY_PASSES_ORDER_CONDUCTOR_H_

#include <memory>

#include "strategy/passes/pass_conductor.h"
#include "strategy/trimmed_mean/trim.h"

namespace skein {

// Folds that go by the order of the values of each element. The median takes 32 passes, of two
// values in the middle, or one; the trimmed mean one more, for the sum of what lies between the two
// at its ends. Both give the same bits as with all contributions at one node.
std::unique_ptr<PassConductor> MakeMedianConductor(const Manifest& update);
std::unique_ptr<PassConductor> MakeTrimmedConductor(const Trim& trim, const Manifest& update);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_PASSES_ORDER_CONDUCTOR_H_
