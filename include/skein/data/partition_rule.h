#ifndef SKEIN_DATA_PARTITION_RULE_H_
#define SKEIN_DATA_PARTITION_RULE_H_

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/data/partition.h"

namespace skein {

// Which of the partitioners, and its parameters, as users name them in a spec.
struct PartitionRule {
  std::string name = "iid";    // one of PartitionRuleNames()
  double alpha = 0.5;          // dirichlet, quantity, subtrees: small is skewed
  size_t min_samples = 10;     // dirichlet, quantity, subtrees: of the worker that has the fewest
  size_t per_worker = 2;       // shards: how many shards; classes: how many classes
  std::vector<size_t> groups;  // subtrees: numbers of workers, from left to right
};

// "iid", "dirichlet", "shards", "classes", "quantity", "subtrees".
const std::vector<std::string>& PartitionRuleNames();

// `labels` are the classes of the samples, or nothing where samples have none; `num_samples` is how
// many they are. Errors are the partitioner's, and InvalidArgument for an unknown rule, for one
// that needs labels where there are none, and for groups that are not all workers.
absl::StatusOr<Partition> MakePartition(const PartitionRule& rule, size_t num_samples,
                                        const std::vector<int64_t>& labels, size_t num_workers,
                                        uint64_t seed);

// "8,8,4" as numbers. InvalidArgument if it is none such.
absl::StatusOr<std::vector<size_t>> ParseGroups(const std::string& text);

}  // namespace skein

#endif  // SKEIN_DATA_PARTITION_RULE_H_
