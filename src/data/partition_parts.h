#ifndef SKEIN_SRC_DATA_PARTITION_PARTS_H_
#define SKEIN_SRC_DATA_PARTITION_PARTS_H_

#include <map>
#include <vector>

#include "skein/base/random.h"
#include "skein/data/partition.h"

namespace skein {

// What partitioners share.

// InvalidArgument if there are no workers, fewer samples than workers, or more than can be
// numbered.
absl::Status CheckSize(size_t num_samples, size_t num_workers);

// InvalidArgument for options that are none, or a minimum that cannot be kept.
absl::Status CheckOptions(const DirichletOptions& options, size_t num_samples, size_t num_workers);
// ResourceExhausted: no draw kept the minimum.
absl::Status NoDraw(const DirichletOptions& options, size_t num_workers);

// A draw from the symmetric Dirichlet distribution.
std::vector<double> DrawProportions(Rng& rng, double alpha, size_t count);

// Deals samples out: cuts at floor(cumulative proportion * size), the remainder to the last.
void DealOut(const std::vector<uint32_t>& indices, const std::vector<double>& proportions,
             Partition& parts);

// Near-equal parts in the given order, the first ones larger by one.
Partition CutEvenly(const std::vector<uint32_t>& indices, size_t parts);

// The samples of each label, in their order.
std::map<int64_t, std::vector<uint32_t>> ByLabel(const std::vector<int64_t>& labels);

}  // namespace skein

#endif  // SKEIN_SRC_DATA_PARTITION_PARTS_H_
