#include "skein/base/status.h"
#include "skein/learners/data_files.h"

namespace skein {

std::vector<ParamSpec> PartitionParams() {
  using Type = ParamSpec::Type;
  return {
      {.name = "partition",
       .type = Type::kString,
       .default_value = "iid",
       .choices = PartitionRuleNames(),
       .doc = "how the training samples are divided among the workers"},
      {.name = "alpha",
       .default_value = 0.5,
       .min = 1e-3,
       .max = 1e6,
       .doc = "dirichlet, quantity, subtrees: small is skewed"},
      {.name = "min_samples",
       .type = Type::kInt,
       .default_value = 10,
       .min = 1,
       .max = 4e9,
       .doc = "dirichlet, quantity, subtrees: samples of the worker that has the fewest"},
      {.name = "per_worker",
       .type = Type::kInt,
       .default_value = 2,
       .min = 1,
       .max = 4e9,
       .doc = "shards: how many of them; classes: how many of the classes"},
      {.name = "tier",
       .type = Type::kInt,
       .default_value = 1,
       .min = 1,
       .max = 32,
       .doc = "subtrees: those of the nodes of this tier; 1: of the root's children"},
      {.name = "groups",
       .type = Type::kString,
       .doc = "subtrees: their workers, as 8,8,4; a spec's is filled in from its topology"},
  };
}

absl::StatusOr<PartitionRule> PartitionRuleOf(const Params& data) {
  PartitionRule rule;
  rule.name = data.StringOr("partition", rule.name);
  rule.alpha = data.RealOr("alpha", rule.alpha);
  rule.min_samples = static_cast<size_t>(data.IntOr("min_samples", 10));
  rule.per_worker = static_cast<size_t>(data.IntOr("per_worker", 2));
  const auto groups = ParseGroups(data.StringOr("groups", ""));
  if (!groups.ok()) return Annotate(groups.status(), "data");
  rule.groups = *groups;
  return rule;
}

}  // namespace skein
