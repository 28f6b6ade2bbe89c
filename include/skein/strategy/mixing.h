#ifndef SKEIN_STRATEGY_MIXING_H_
#define SKEIN_STRATEGY_MIXING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "skein/base/fixed128.h"

namespace skein {

// The contributions to one version of the model that refer to the same base.
struct MixBucket {
  double staleness_weight = 1;  // of all of them
  Fixed128 total_weight;
  double share = 1;  // its updates, as a share of the tree's workers
};

// How contributions of different bases become one step of the model, at the coordinator. What goes
// into the server optimizer is, for buckets from the oldest to the newest,
//   deltas:  sum of c_b * mean_b                         (mean_b: the bucket's mean difference)
//   models:  x_n - x, with x_0 = x and x_(b+1) = (1 - c_b) x_b + c_b (base_b + mean_b)
// in double, in that order. One fresh bucket with c = 1 gives the synchronous step, bit for bit.
// Immutable; shared by threads.
class Mixing {
 public:
  virtual ~Mixing() = default;
  // Whether it mixes whole models, for which old versions are kept while somebody trains from them.
  virtual bool MixesModels() const = 0;
  // How many of them at most, if it does. What refers to others is refused.
  virtual size_t VersionsKept() const { return 0; }
  // c_b for each bucket; they are at least one, and their weights are positive.
  virtual std::vector<double> Coefficients(std::span<const MixBucket> buckets) const = 0;
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_MIXING_H_
