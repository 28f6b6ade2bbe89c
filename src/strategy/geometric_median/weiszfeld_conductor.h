#ifndef SKEIN_SRC_STRATEGY_GEOMETRIC_MEDIAN_WEISZFELD_CONDUCTOR_H_
#define SKEIN_SRC_STRATEGY_GEOMETRIC_MEDIAN_WEISZFELD_CONDUCTOR_H_

#include <memory>

#include "strategy/geometric_median/weiszfeld.h"
#include "strategy/passes/pass_conductor.h"

namespace skein {

// The geometric median over a tree: two passes a step, one for the mean and one for the distances
// to it, and one for the last mean; 32 before that if there are buffers or integers, of which it
// takes the median. The same bits as with all contributions at one node.
std::unique_ptr<PassConductor> MakeWeiszfeldConductor(const WeiszfeldRule& rule,
                                                      const Manifest& update);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_GEOMETRIC_MEDIAN_WEISZFELD_CONDUCTOR_H_
