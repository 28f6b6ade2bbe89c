#ifndef SKEIN_SRC_STRATEGY_SELECT_POWER_OF_CHOICE_HIGHEST_LOSSES_H_
#define SKEIN_SRC_STRATEGY_SELECT_POWER_OF_CHOICE_HIGHEST_LOSSES_H_

#include <vector>

#include "skein/base/roster.h"

namespace skein {

struct Candidate {
  LeafIndex leaf = 0;
  double loss = 0;  // infinite if it is not known
};

// The candidates with the `count` highest losses, the lowest leaf of equals first.
Roster HighestLosses(std::vector<Candidate> candidates, size_t count);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SELECT_POWER_OF_CHOICE_HIGHEST_LOSSES_H_
