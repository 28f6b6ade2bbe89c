#ifndef SKEIN_DATA_PARTITION_H_
#define SKEIN_DATA_PARTITION_H_

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

namespace skein {

// Sample indices of each worker, by leaf index. Disjoint; together they are all samples. A function
// of (labels or size, number of workers, seed) alone.
using Partition = std::vector<std::vector<uint32_t>>;

// A random permutation cut into near-equal parts (the first n % workers get one more).
// InvalidArgument if there are fewer samples than workers.
absl::StatusOr<Partition> PartitionIid(size_t num_samples, size_t num_workers, uint64_t seed);

struct DirichletOptions {
  double alpha = 0.5;       // > 0; small is skewed
  size_t min_samples = 10;  // of the smallest part; the whole draw is repeated until it holds
  int max_attempts = 1000;
};
// Label skew: each class is split over the workers in proportions drawn from Dirichlet(alpha)
// (Hsu, Qi, Brown 2019, arXiv 1909.06335, in the per-class form of Yurochkin et al. 2019).
// InvalidArgument for a bad option; ResourceExhausted with the remedy if no draw gave every worker
// its minimum.
absl::StatusOr<Partition> PartitionDirichlet(const std::vector<int64_t>& labels, size_t num_workers,
                                             const DirichletOptions& options, uint64_t seed);

// A table for people: per worker its number of samples and a count of each label, workers beyond
// `max_rows` summarized in a last line.
std::string LabelHistogram(const Partition& partition, const std::vector<int64_t>& labels,
                           size_t max_rows = 40);

}  // namespace skein

#endif  // SKEIN_DATA_PARTITION_H_
