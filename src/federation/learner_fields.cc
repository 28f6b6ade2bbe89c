#include "federation/learner_fields.h"

#include <cstdint>
#include <vector>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/data/subtrees.h"

namespace skein {
namespace {

absl::StatusOr<ValueMap> Resolve(const ParamSchema* schema, const ValueMap& values,
                                 const std::string& context, const PathResolver& absolute) {
  if (schema == nullptr) return values;
  SKEIN_ASSIGN_OR_RETURN(const Params params, schema->Resolve(values, context));
  return WithAbsolutePaths(params, *schema, absolute);
}

// The sizes of the subtrees that the data ask for, if they do.
absl::Status FillInGroups(ValueMap& data, const Topology& topology) {
  const auto rule = data.find("partition");
  if (rule == data.end() || rule->second != Value("subtrees")) return absl::OkStatus();
  int64_t tier = 1;
  if (const auto at = data.find("tier"); at != data.end() && at->second.AsInt() != nullptr) {
    tier = *at->second.AsInt();
  }
  const auto sizes = SubtreeSizes(topology, tier);
  if (!sizes.ok()) return Annotate(sizes.status(), "data: 'tier'");
  std::string groups;
  for (const size_t size : *sizes) groups += (groups.empty() ? "" : ",") + std::to_string(size);
  data["groups"] = groups;
  return absl::OkStatus();
}

}  // namespace

ValueMap WithAbsolutePaths(const Params& params, const ParamSchema& schema,
                           const PathResolver& absolute) {
  ValueMap values = params.values();
  for (const ParamSpec& spec : schema.specs()) {
    const auto it = values.find(spec.name);
    if (spec.type != ParamSpec::Type::kPath || it == values.end()) continue;
    const std::string path = *it->second.AsString();
    if (!path.empty()) it->second = absolute(path);
  }
  return values;
}

absl::StatusOr<ValueMap> ResolveLearnerParams(const LearnerRegistry::Entry& learner,
                                              const PartSpec& part, const PathResolver& absolute) {
  return Resolve(learner.options.schema.get(), part.params, "learner " + QuoteName(part.name),
                 absolute);
}

absl::StatusOr<ValueMap> ResolveLearnerData(const LearnerRegistry::Entry& learner, ValueMap data,
                                            const Topology& topology,
                                            const PathResolver& absolute) {
  SKEIN_RETURN_IF_ERROR(FillInGroups(data, topology));
  return Resolve(learner.options.data_schema.get(), data, "data", absolute);
}

absl::Status CheckLearnerData(const LearnerRegistry::Entry& learner, const RunConfig& config,
                              const Topology& topology) {
  if (!learner.options.check_data) return absl::OkStatus();
  return learner.options.check_data(Params(config.data),
                                    {topology.num_workers(), config.evaluate.coordinator});
}

}  // namespace skein
