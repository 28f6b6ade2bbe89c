#include "skein/conditions/conditions.h"

#include <algorithm>
#include <utility>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/strategy/params.h"

namespace skein {
namespace {

constexpr double kMaxSeconds = 1e9;

// One parameter that is a number: the schema, the reader and the writer go by lists of these. Its
// default is that of T.
template <typename T>
struct Field {
  const char* key;
  double T::*member;
  double min;
  double max;
  const char* doc;
};
template <typename T>
using Fields = std::vector<Field<T>>;

template <typename T>
ParamSchema SchemaOf(const Fields<T>& fields, std::vector<ParamSpec> others) {
  for (const Field<T>& field : fields) {
    others.push_back({.name = field.key,
                      .default_value = T{}.*field.member,
                      .min = field.min,
                      .max = field.max,
                      .doc = field.doc});
  }
  return ParamSchema(std::move(others));
}

template <typename T>
T FromParams(const Fields<T>& fields, const Params& params) {
  T result;
  for (const Field<T>& field : fields) result.*field.member = params.Real(field.key);
  return result;
}

template <typename T>
ValueMap ToValues(const Fields<T>& fields, const T& from) {
  ValueMap values;
  for (const Field<T>& field : fields) values[field.key] = from.*field.member;
  return values;
}

const Fields<ComputeConditions>& ComputeFields() {
  using C = ComputeConditions;
  static const Fields<C> fields = {
      {"task_s", &C::task_s, 0, kMaxSeconds, "seconds of a training task of a typical worker"},
      {"evaluate_s", &C::evaluate_s, 0, kMaxSeconds, "seconds of an evaluation by it"},
      {"spread", &C::spread, 0, 5, "of speeds among workers: sigma of a lognormal factor"},
      {"jitter", &C::jitter, 0, 5, "of times among the tasks of a worker: the same"},
      {"stragglers", &C::stragglers, 0, 1, "share of the workers that are slower"},
      {"straggler_factor", &C::straggler_factor, 1, 1e6, "how many times longer they take"}};
  return fields;
}

const ParamSchema& ComputeSchema() {
  static const ParamSchema schema =
      SchemaOf(ComputeFields(), {{.name = "steps",
                                  .type = ParamSpec::Type::kInt,
                                  .default_value = 0,
                                  .min = 0,
                                  .max = 1e9,
                                  .doc = "local steps that task_s stands for; 0: whatever"},
                                 {.name = "trace",
                                  .type = ParamSpec::Type::kString,
                                  .default_value = "",
                                  .doc = "CSV file with the seconds of each task"}});
  return schema;
}

const Fields<LinkConditions>& LinkFields() {
  using L = LinkConditions;
  static const Fields<L> fields = {
      {"mb_per_s", &L::mb_per_s, 0, 1e9, "10^6 bytes a second of each link, each way"},
      {"node_mb_per_s", &L::node_mb_per_s, 0, 1e9, "of all links of a parent together"},
      {"latency_s", &L::latency_s, 0, 3600, "seconds, one way"},
      {"loss", &L::loss, 0, 0.5, "share of packets that are lost and sent again"},
      {"frame_s", &L::frame_s, 0, 3600, "seconds of the parent for each frame"}};
  return fields;
}

const ParamSchema& LinkSchema() {
  static const ParamSchema schema = SchemaOf(LinkFields(), {{.name = "tier",
                                                             .type = ParamSpec::Type::kInt,
                                                             .required = true,
                                                             .min = 0,
                                                             .max = 1000,
                                                             .doc = "of the parent"}});
  return schema;
}

const Fields<AvailabilityConditions>& AvailabilityFields() {
  using A = AvailabilityConditions;
  static const Fields<A> fields = {
      {"up_s", &A::up_s, 0, kMaxSeconds, "mean seconds for which a worker stays; 0: for good"},
      {"down_s", &A::down_s, 0, kMaxSeconds, "mean seconds for which it is away; 0: for good"},
      {"period_s", &A::period_s, 0, kMaxSeconds, "seconds of a day; 0: none"},
      {"share", &A::share, 0, 1, "of the day that a worker is there"}};
  return fields;
}

const ParamSchema& AvailabilitySchema() {
  static const ParamSchema schema =
      SchemaOf(AvailabilityFields(), {{.name = "trace",
                                       .type = ParamSpec::Type::kString,
                                       .default_value = "",
                                       .doc = "CSV file with the times when workers are there"}});
  return schema;
}

const ParamSchema& ModelSchema() {
  static const ParamSchema schema({{.name = "model_mb",
                                    .default_value = 0.0,
                                    .min = 0,
                                    .max = 1e9,
                                    .doc = "10^6 bytes of a model on links; 0: what it is"}});
  return schema;
}

absl::StatusOr<Params> Resolve(const Value& value, const ParamSchema& schema,
                               const std::string& key) {
  const ValueMap* map = value.AsMap();
  if (map == nullptr) return absl::InvalidArgumentError(key + ": must be a map");
  return schema.Resolve(*map, key);
}

absl::StatusOr<std::vector<LinkConditions>> ReadLinks(const Value& value) {
  const ValueList* list = value.AsList();
  if (list == nullptr) {
    return absl::InvalidArgumentError(
        "conditions.links: must be a list, as in links: [{tier: 0, mb_per_s: 10}]");
  }
  std::vector<LinkConditions> links;
  for (size_t i = 0; i < list->size(); ++i) {
    const std::string key = "conditions.links[" + std::to_string(i) + "]";
    SKEIN_ASSIGN_OR_RETURN(const Params params, Resolve((*list)[i], LinkSchema(), key));
    LinkConditions link = FromParams(LinkFields(), params);
    link.tier = static_cast<int>(params.Int("tier"));
    for (const LinkConditions& other : links) {
      if (other.tier != link.tier) continue;
      return absl::InvalidArgumentError(key + ": tier " + std::to_string(link.tier) +
                                        " is there already: put both into one entry");
    }
    links.push_back(link);
  }
  std::sort(links.begin(), links.end(),
            [](const auto& a, const auto& b) { return a.tier < b.tier; });
  return links;
}

absl::StatusOr<ComputeConditions> ReadCompute(const Value& value) {
  SKEIN_ASSIGN_OR_RETURN(const Params params,
                         Resolve(value, ComputeSchema(), "conditions.compute"));
  ComputeConditions compute = FromParams(ComputeFields(), params);
  compute.steps = params.Int("steps");
  compute.trace = params.String("trace");
  if (compute.task_s == 0 && compute.trace.empty() &&
      (compute.spread > 0 || compute.jitter > 0 || compute.stragglers > 0)) {
    return absl::InvalidArgumentError(
        "conditions.compute: spread, jitter and stragglers are factors of task_s: give it");
  }
  return compute;
}

absl::StatusOr<AvailabilityConditions> ReadAvailability(const Value& value) {
  SKEIN_ASSIGN_OR_RETURN(const Params params,
                         Resolve(value, AvailabilitySchema(), "conditions.availability"));
  auto availability = FromParams(AvailabilityFields(), params);
  if (availability != AvailabilityConditions{} && !params.String("trace").empty()) {
    return absl::InvalidArgumentError(
        "conditions.availability.trace: it says all; leave up_s, down_s, period_s and share out");
  }
  availability.trace = params.String("trace");
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
  if (availability.period_s > 0 && availability.share == 1) {
    return absl::InvalidArgumentError(
        "conditions.availability: period_s is a day, of which a worker is there a share: give "
        "share");
  }
  constexpr double kShortest = 0.001;
  const auto too_short = [](double s) { return s > 0 && s < kShortest; };
  if (too_short(availability.up_s) || too_short(availability.down_s)) {
    return absl::InvalidArgumentError(
        "conditions.availability: up_s and down_s are means of a millisecond at least");
  }
  const double there_s = availability.period_s * availability.share;
  if (availability.period_s > 0 && std::min(there_s, availability.period_s - there_s) < kShortest) {
    return absl::InvalidArgumentError(
        "conditions.availability: a worker must be there, and away, for a millisecond of each "
        "period_s at least: change share");
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
      SKEIN_ASSIGN_OR_RETURN(conditions.links, ReadLinks(value));
    } else if (key == "availability") {
      SKEIN_ASSIGN_OR_RETURN(conditions.availability, ReadAvailability(value));
    } else if (key == "model_mb") {
      SKEIN_ASSIGN_OR_RETURN(const Params params,
                             ModelSchema().Resolve({{key, value}}, "conditions"));
      conditions.model_mb = params.Real(key);
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
  if (const ComputeConditions& compute = conditions.compute; compute != ComputeConditions{}) {
    ValueMap map = ToValues(ComputeFields(), compute);
    map["steps"] = compute.steps;
    map["trace"] = compute.trace;
    values["compute"] = std::move(map);
  }
  ValueList links;
  for (const LinkConditions& link : conditions.links) {
    ValueMap map = ToValues(LinkFields(), link);
    map["tier"] = link.tier;
    links.emplace_back(std::move(map));
  }
  if (!links.empty()) values["links"] = std::move(links);
  if (conditions.availability != AvailabilityConditions{}) {
    ValueMap map = ToValues(AvailabilityFields(), conditions.availability);
    map["trace"] = conditions.availability.trace;
    values["availability"] = std::move(map);
  }
  if (conditions.model_mb != 0) values["model_mb"] = conditions.model_mb;
  return values;
}

}  // namespace skein
