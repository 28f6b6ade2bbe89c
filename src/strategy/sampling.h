#ifndef SKEIN_SRC_STRATEGY_SAMPLING_H_
#define SKEIN_SRC_STRATEGY_SAMPLING_H_

#include <functional>
#include <vector>

#include "skein/base/random.h"
#include "skein/strategy/selector.h"

namespace skein {

// `count` workers drawn uniformly without replacement, by (seed, round) alone. FailedPrecondition
// if fewer are available.
absl::StatusOr<Roster> SampleUniformly(const SelectionInput& input, size_t count);

// The random source of selections in a round; `part` tells several in one round apart.
Rng SelectionRng(const SelectionInput& input, uint64_t part);

// `count` of the leaves, or all if there are no more.
std::vector<LeafIndex> DrawUniformly(std::vector<LeafIndex> leaves, size_t count, Rng& rng);

// The same, one after the other, each in proportion to its weight among those that are left. A
// weight that is not above 0 comes after all that are.
std::vector<LeafIndex> DrawByWeight(const std::vector<LeafIndex>& leaves,
                                    const std::function<double(LeafIndex)>& weight, size_t count,
                                    Rng& rng);

// What there is too few of: "5 workers are to be selected and 3 are available".
absl::Status TooFew(size_t wanted, size_t available, const std::string& what = "available");

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SAMPLING_H_
