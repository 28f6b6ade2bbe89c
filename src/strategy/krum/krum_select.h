#ifndef SKEIN_SRC_STRATEGY_KRUM_KRUM_SELECT_H_
#define SKEIN_SRC_STRATEGY_KRUM_KRUM_SELECT_H_

#include <cstddef>
#include <vector>

#include "strategy/held/distances.h"

namespace skein {

// What Krum goes by (Blanchard et al. 2017, section 4): the score of a vector is the sum of its
// squared distances to the n - f - 2 others that are nearest to it, at least one if there is one.

// The scores of all vectors.
std::vector<double> KrumScores(const PairDistances& distances, size_t f);

// The m lowest of all scores, by their vectors' numbers, the best first; of equal ones the lowest
// number.
std::vector<size_t> MultiKrumSelect(const PairDistances& distances, size_t f, size_t m);

// Takes the best again and again, from those that are left (El Mhamdi et al. 2018, section 4):
// `count` vectors by their numbers, in the order in which they were taken.
std::vector<size_t> RepeatedKrumSelect(const PairDistances& distances, size_t f, size_t count);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_KRUM_KRUM_SELECT_H_
