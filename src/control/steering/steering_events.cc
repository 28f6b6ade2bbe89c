#include "control/steering/steering_events.h"

#include <utility>

#include "observe/event_fields.h"
#include "skein/base/status.h"

namespace skein {
namespace {

constexpr char kCommitted[] = "committed";
constexpr char kEvaluated[] = "evaluated";

Value PartValue(const PartSpec& part) {
  return ValueMap{{"name", part.name}, {"params", part.params}};
}

absl::Status Bad(const std::string& field) {
  return absl::InvalidArgumentError(std::string(event::kSteered) + ": its field '" + field +
                                    "' is not what was written");
}

absl::StatusOr<PartSpec> PartOf(const Value& value, const std::string& field) {
  const ValueMap* map = value.AsMap();
  if (map == nullptr) return Bad(field);
  PartSpec part{TextField(*map, "name"), {}};
  const auto params = map->find("params");
  if (part.name.empty() || params == map->end() || params->second.AsMap() == nullptr) {
    return Bad(field);
  }
  part.params = *params->second.AsMap();
  return part;
}

absl::StatusOr<TierPolicies> PoliciesOf(const Value& value) {
  const ValueList* list = value.AsList();
  if (list == nullptr) return Bad("policies");
  TierPolicies policies;
  for (const Value& item : *list) {
    const ValueMap* map = item.AsMap();
    const auto policy = map == nullptr ? ValueMap::const_iterator() : map->find("policy");
    if (map == nullptr || policy == map->end()) return Bad("policies");
    const auto tier = static_cast<int>(CountField(*map, "tier"));
    SKEIN_ASSIGN_OR_RETURN(policies[tier], PartOf(policy->second, "policies"));
  }
  return policies;
}

}  // namespace

Event ToEvent(const SteeredStep& step) {
  const SteeringDecision& decision = step.decision;
  Event event{0, event::kSteered, step.round, "", {}};
  const bool evaluated = step.moment == SteeringRecord::Moment::kEvaluated;
  event.fields["on"] = evaluated ? kEvaluated : kCommitted;
  if (evaluated) event.fields["where"] = step.where;
  if (!decision.why.empty()) event.fields["why"] = decision.why;
  if (decision.stop) event.fields["stop"] = *decision.stop;
  if (step.change != 0) {
    event.fields["change"] = step.change;
    event.fields["from"] = decision.from_version;
  }
  if (decision.selector) event.fields["selector"] = PartValue(*decision.selector);
  if (decision.optimizer) event.fields["optimizer"] = PartValue(*decision.optimizer);
  ValueList policies;
  for (const auto& [tier, policy] : decision.policies) {
    policies.push_back(ValueMap{{"tier", tier}, {"policy", PartValue(policy)}});
  }
  if (!policies.empty()) event.fields["policies"] = std::move(policies);
  return event;
}

absl::StatusOr<SteeredStep> SteeredStepOf(const Event& event) {
  SteeredStep step;
  step.round = event.round;
  const std::string on = TextField(event.fields, "on");
  if (on != kCommitted && on != kEvaluated) return Bad("on");
  if (on == kEvaluated) step.moment = SteeringRecord::Moment::kEvaluated;
  step.where = TextField(event.fields, "where");
  step.change = CountField(event.fields, "change");
  SteeringDecision& decision = step.decision;
  decision.why = TextField(event.fields, "why");
  decision.from_version = CountField(event.fields, "from");
  for (const auto& [name, value] : event.fields) {
    if (name == "stop") {
      if (value.AsString() == nullptr) return Bad(name);
      decision.stop = *value.AsString();
    } else if (name == "selector") {
      SKEIN_ASSIGN_OR_RETURN(decision.selector, PartOf(value, name));
    } else if (name == "optimizer") {
      SKEIN_ASSIGN_OR_RETURN(decision.optimizer, PartOf(value, name));
    } else if (name == "policies") {
      SKEIN_ASSIGN_OR_RETURN(decision.policies, PoliciesOf(value));
    }
  }
  return step;
}

}  // namespace skein
