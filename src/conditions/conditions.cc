#include "skein/conditions/conditions.h"

#include <algorithm>
#include <utility>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/strategy/params.h"

namespace skein {
namespace {

constexpr double kMaxSeconds = 1e9;

ParamSpec Real(const char* name, double otherwise, double min, double max, const char* doc) {
  return {.name = name, .default_value = otherwise, .min = min, .max = max, .doc = doc};
}

const ParamSchema& ComputeSchema() {
  static const ParamSchema schema(
      {Real("task_s", 0, 0, kMaxSeconds, "seconds of a training task of a typical worker"),
       Real("evaluate_s", 0, 0, kMaxSeconds, "seconds of an evaluation by it"),
       Real("spread", 0, 0, 5, "of speeds among workers: sigma of a lognormal factor"),
       Real("jitter", 0, 0, 5, "of times among the tasks of a worker: sigma of a lognormal factor"),
       Real("stragglers", 0, 0, 1, "share of the workers that are slower"),
       Real("straggler_factor", 10, 1, 1e6, "how many times longer they take"),
       {.name = "steps",
        .type = ParamSpec::Type::kInt,
        .default_value = 0,
        .min = 0,
        .max = 1e9,
        .doc = "local steps that task_s stands for; 0: whatever their number"},
       {.name = "trace",
        .type = ParamSpec::Type::kString,
        .default_value = "",
        .doc = "CSV file with the seconds of each task: worker,task,seconds"}});
  return schema;
}

const ParamSchema& LinkSchema() {
  static const ParamSchema schema(
      {{.name = "tier",
        .type = ParamSpec::Type::kInt,
        .required = true,
        .min = 0,
        .max = 1000,
        .doc = "of the parent"},
       Real("mb_per_s", 0, 0, 1e9, "10^6 bytes a second of each link, each way; 0: unlimited"),
       Real("node_mb_per_s", 0, 0, 1e9, "of all links of a parent together; 0: unlimited"),
       Real("latency_s", 0, 0, 3600, "seconds, one way"),
       Real("loss", 0, 0, 0.5, "share of packets that are lost and sent again"),
       Real("frame_s", 0, 0, 3600, "seconds of the parent for each frame")});
  return schema;
}

const ParamSchema& AvailabilitySchema() {
  static const ParamSchema schema(
      {Real("up_s", 0, 0, kMaxSeconds, "mean seconds for which a worker stays; 0: for good"),
       Real("down_s", 0, 0, kMaxSeconds, "mean seconds for which it is away; 0: for good"),
       Real("period_s", 0, 0, kMaxSeconds, "seconds of a day; 0: none"),
       Real("share", 1, 0, 1, "of the day that a worker is there")});
  return schema;
}

absl::StatusOr<ValueMap> MapOf(const Value& value, const std::string& key) {
  if (const ValueMap* map = value.AsMap()) return *map;
  return absl::InvalidArgumentError(key + ": must be a map");
}

absl::StatusOr<LinkConditions> LinkFromValues(const Value& value, const std::string& key) {
  SKEIN_ASSIGN_OR_RETURN(const ValueMap map, MapOf(value, key));
  SKEIN_ASSIGN_OR_RETURN(const Params params, LinkSchema().Resolve(map, key));
  return LinkConditions{.tier = static_cast<int>(params.Int("tier")),
                        .mb_per_s = params.Real("mb_per_s"),
                        .node_mb_per_s = params.Real("node_mb_per_s"),
                        .latency_s = params.Real("latency_s"),
                        .loss = params.Real("loss"),
                        .frame_s = params.Real("frame_s")};
}

absl::Status ReadLinks(const Value& value, std::vector<LinkConditions>& links) {
  const ValueList* list = value.AsList();
  if (list == nullptr) {
    return absl::InvalidArgumentError(
        "conditions.links: must be a list, as in links: [{tier: 0, mb_per_s: 10}]");
  }
  for (size_t i = 0; i < list->size(); ++i) {
    const std::string key = "conditions.links[" + std::to_string(i) + "]";
    SKEIN_ASSIGN_OR_RETURN(LinkConditions link, LinkFromValues((*list)[i], key));
    for (const LinkConditions& other : links) {
      if (other.tier != link.tier) continue;
      return absl::InvalidArgumentError(key + ": tier " + std::to_string(link.tier) +
                                        " is there already: put both into one entry");
    }
    links.push_back(std::move(link));
  }
  std::sort(links.begin(), links.end(),
            [](const auto& a, const auto& b) { return a.tier < b.tier; });
  return absl::OkStatus();
}

absl::StatusOr<ComputeConditions> ReadCompute(const Value& value) {
  SKEIN_ASSIGN_OR_RETURN(const ValueMap map, MapOf(value, "conditions.compute"));
  SKEIN_ASSIGN_OR_RETURN(const Params params, ComputeSchema().Resolve(map, "conditions.compute"));
  ComputeConditions compute{.task_s = params.Real("task_s"),
                            .evaluate_s = params.Real("evaluate_s"),
                            .spread = params.Real("spread"),
                            .jitter = params.Real("jitter"),
                            .stragglers = params.Real("stragglers"),
                            .straggler_factor = params.Real("straggler_factor"),
                            .steps = params.Int("steps"),
                            .trace = params.String("trace")};
  if (compute.stragglers == 0) compute.straggler_factor = 1;
  if (compute.task_s == 0 && compute.trace.empty() &&
      (compute.spread > 0 || compute.jitter > 0 || compute.stragglers > 0)) {
    return absl::InvalidArgumentError(
        "conditions.compute: spread, jitter and stragglers are factors of task_s: give it");
  }
  return compute;
}

absl::StatusOr<AvailabilityConditions> ReadAvailability(const Value& value) {
  SKEIN_ASSIGN_OR_RETURN(const ValueMap map, MapOf(value, "conditions.availability"));
  SKEIN_ASSIGN_OR_RETURN(const Params params,
                         AvailabilitySchema().Resolve(map, "conditions.availability"));
  const AvailabilityConditions availability{.up_s = params.Real("up_s"),
                                            .down_s = params.Real("down_s"),
                                            .period_s = params.Real("period_s"),
                                            .share = params.Real("share")};
  if (availability.down_s > 0 && availability.up_s == 0) {
    return absl::InvalidArgumentError(
        "conditions.availability: down_s says how long after up_s a worker is away: give up_s");
  }
  if (availability.share < 1 && availability.period_s == 0) {
    return absl::InvalidArgumentError(
        "conditions.availability: share is of a period: give period_s, say 86400");
  }
  if (availability.period_s > 0 && availability.share == 0) {
    return absl::InvalidArgumentError("conditions.availability.share: 0, so nobody is ever there");
  }
  return availability;
}

}  // namespace

absl::StatusOr<Conditions> ConditionsFromValues(const ValueMap& values) {
  Conditions conditions;
  for (const auto& [key, value] : values) {
    if (value.is_null()) continue;
    if (key == "compute") {
      SKEIN_ASSIGN_OR_RETURN(conditions.compute, ReadCompute(value));
    } else if (key == "links") {
      SKEIN_RETURN_IF_ERROR(ReadLinks(value, conditions.links));
    } else if (key == "availability") {
      SKEIN_ASSIGN_OR_RETURN(conditions.availability, ReadAvailability(value));
    } else if (key == "model_mb") {
      const ParamSchema schema({Real("model_mb", 0, 0, 1e9, "")});
      SKEIN_ASSIGN_OR_RETURN(const Params params,
                             schema.Resolve({{"model_mb", value}}, "conditions"));
      conditions.model_mb = params.Real("model_mb");
    } else {
      return absl::InvalidArgumentError(
          "conditions: unknown key " + QuoteName(key) +
          Suggestion(key, {"compute", "links", "availability", "model_mb"}));
    }
  }
  return conditions;
}

ValueMap ToValues(const Conditions& conditions) {
  ValueMap values;
  if (const ComputeConditions& c = conditions.compute; c != ComputeConditions{}) {
    values["compute"] =
        ValueMap{{"task_s", c.task_s},         {"evaluate_s", c.evaluate_s},
                 {"spread", c.spread},         {"jitter", c.jitter},
                 {"stragglers", c.stragglers}, {"straggler_factor", c.straggler_factor},
                 {"steps", c.steps},           {"trace", c.trace}};
  }
  ValueList links;
  for (const LinkConditions& link : conditions.links) {
    links.push_back(ValueMap{{"tier", link.tier},
                             {"mb_per_s", link.mb_per_s},
                             {"node_mb_per_s", link.node_mb_per_s},
                             {"latency_s", link.latency_s},
                             {"loss", link.loss},
                             {"frame_s", link.frame_s}});
  }
  if (!links.empty()) values["links"] = std::move(links);
  if (const AvailabilityConditions& a = conditions.availability; a != AvailabilityConditions{}) {
    values["availability"] = ValueMap{
        {"up_s", a.up_s}, {"down_s", a.down_s}, {"period_s", a.period_s}, {"share", a.share}};
  }
  if (conditions.model_mb != 0) values["model_mb"] = conditions.model_mb;
  return values;
}

}  // namespace skein
