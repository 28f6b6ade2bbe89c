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

// Label skew by shards: samples are sorted by label and cut into `shards_per_worker` shards a
// worker, near-equal ones, which are dealt out at random (McMahan et al. 2017, arXiv 1602.05629,
// section 3). InvalidArgument if there are more shards than samples.
absl::StatusOr<Partition> PartitionShards(const std::vector<int64_t>& labels, size_t num_workers,
                                          size_t shards_per_worker, uint64_t seed);

// Label skew by classes ("#C=k" of Li et al. 2022, arXiv 2102.02079): each worker has
// `classes_per_worker` of the classes, and the samples of a class are divided evenly among those
// who have it. Classes are dealt out in turns, in an order drawn from the seed, so that their
// owners differ by one at most. InvalidArgument if some class would have no owner, a class has
// fewer samples than owners, or there are fewer classes than asked for.
absl::StatusOr<Partition> PartitionByClasses(const std::vector<int64_t>& labels, size_t num_workers,
                                             size_t classes_per_worker, uint64_t seed);

// Quantity skew: workers have shares of all samples drawn from Dirichlet(alpha), at random whatever
// the label (Li et al. 2022, section 3.3). Options and errors as for PartitionDirichlet.
absl::StatusOr<Partition> PartitionQuantity(size_t num_samples, size_t num_workers,
                                            const DirichletOptions& options, uint64_t seed);

// Label skew between groups and none within: `groups` are numbers of workers, from left to right
// (those of the subtrees of a tree, say). Each class is split over the groups in proportions drawn
// from Dirichlet(alpha), times their sizes, and what a group has is divided evenly at random.
// `min_samples` is of a worker. Errors as for PartitionDirichlet.
absl::StatusOr<Partition> PartitionByGroups(const std::vector<int64_t>& labels,
                                            const std::vector<size_t>& groups,
                                            const DirichletOptions& options, uint64_t seed);

// Lists that are given: InvalidArgument names the worker and the sample if an index is out of range
// or there twice. Samples may be left out.
absl::Status CheckPartition(const Partition& partition, size_t num_samples);

// A table for people: per worker its number of samples and a count of each label, workers beyond
// `max_rows` summarized in a last line.
std::string LabelHistogram(const Partition& partition, const std::vector<int64_t>& labels,
                           size_t max_rows = 40);

}  // namespace skein

#endif  // SKEIN_DATA_PARTITION_H_
