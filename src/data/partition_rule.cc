#include "skein/data/partition_rule.h"

#include <numeric>
#include <string_view>

#include "base/csv_lines.h"
#include "skein/base/names.h"

namespace skein {

const std::vector<std::string>& PartitionRuleNames() {
  static const std::vector<std::string> names = {"iid",     "dirichlet", "shards",
                                                 "classes", "quantity",  "subtrees"};
  return names;
}

absl::StatusOr<Partition> MakePartition(const PartitionRule& rule, size_t num_samples,
                                        const std::vector<int64_t>& labels, size_t num_workers,
                                        uint64_t seed) {
  DirichletOptions options;
  options.alpha = rule.alpha;
  options.min_samples = rule.min_samples;
  if (rule.name == "iid") return PartitionIid(num_samples, num_workers, seed);
  if (rule.name == "quantity") return PartitionQuantity(num_samples, num_workers, options, seed);
  const bool known = rule.name == "dirichlet" || rule.name == "shards" || rule.name == "classes" ||
                     rule.name == "subtrees";
  if (!known) {
    return absl::InvalidArgumentError("partition: unknown rule " + QuoteName(rule.name) +
                                      Suggestion(rule.name, PartitionRuleNames()));
  }
  if (labels.empty()) {
    return absl::InvalidArgumentError("partition: '" + rule.name +
                                      "' divides classes, and the labels are none (whole numbers "
                                      "from 0); use iid or quantity");
  }
  if (rule.name == "dirichlet") return PartitionDirichlet(labels, num_workers, options, seed);
  if (rule.name == "shards") return PartitionShards(labels, num_workers, rule.per_worker, seed);
  if (rule.name == "classes") {
    return PartitionByClasses(labels, num_workers, rule.per_worker, seed);
  }
  const size_t in_groups = std::accumulate(rule.groups.begin(), rule.groups.end(), size_t{0});
  if (in_groups != num_workers) {
    return absl::InvalidArgumentError("partition: the groups have " + std::to_string(in_groups) +
                                      " workers, the tree has " + std::to_string(num_workers));
  }
  return PartitionByGroups(labels, rule.groups, options, seed);
}

absl::StatusOr<std::vector<size_t>> ParseGroups(const std::string& text) {
  std::vector<size_t> groups;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t comma = rest.find(',');
    size_t size = 0;
    if (!ParseNumber(rest.substr(0, comma), size) || size == 0) {
      return absl::InvalidArgumentError("'groups' must be numbers of workers, as 8,8,4, not " +
                                        QuoteName(text));
    }
    groups.push_back(size);
    rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
  }
  return groups;
}

}  // namespace skein
