// The rules as they stand in a spec.
#include <cmath>
#include <utility>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/control/stopping.h"
#include "skein/strategy/params.h"

namespace skein {
namespace {

constexpr double kMaxRoundsOfPlateau = 1e9;
constexpr double kMaxSeconds = 1e9;     // 31 years
constexpr double kMaxMegabytes = 1e12;  // an exabyte
constexpr double kMaxValue = 1e300;

const std::vector<std::string> kKeys = {"metric", "plateau", "time_s", "bytes_mb"};

ParamSpec MetricName(const char* key) {
  return {.name = key,
          .type = ParamSpec::Type::kString,
          .required = true,
          .doc = "as evaluations or training report it"};
}

ParamSpec From() {
  return {.name = "from",
          .type = ParamSpec::Type::kString,
          .default_value = "evaluation",
          .choices = {"evaluation", "training"},
          .doc = "whose metric"};
}

ParamSchema TargetSchema() {
  return ParamSchema({MetricName("name"),
                      {.name = "at_least", .min = -kMaxValue, .max = kMaxValue, .doc = "a value"},
                      {.name = "at_most", .min = -kMaxValue, .max = kMaxValue, .doc = "a value"},
                      From()});
}

ParamSchema PlateauSchema() {
  return ParamSchema({MetricName("metric"),
                      {.name = "rounds",
                       .type = ParamSpec::Type::kInt,
                       .required = true,
                       .min = 1,
                       .max = kMaxRoundsOfPlateau,
                       .doc = "without a better value"},
                      {.name = "min_delta",
                       .default_value = 0.0,
                       .min = 0,
                       .max = kMaxValue,
                       .doc = "a better value differs by more than this"},
                      {.name = "better",
                       .type = ParamSpec::Type::kString,
                       .choices = {"lower", "higher"},
                       .doc = "by default lower for losses and errors, else higher"},
                      From()});
}

// Zero would be a budget that is used up at once.
ParamSchema BudgetSchema(const char* key, double max) {
  return ParamSchema({{.name = key, .min = 1e-6, .max = max, .doc = "a budget"}});
}

absl::StatusOr<Params> Resolve(const Value& value, const ParamSchema& schema,
                               const std::string& key, const char* example) {
  const ValueMap* map = value.AsMap();
  if (map == nullptr) {
    return absl::InvalidArgumentError(key + ": must be a map, as in " + example);
  }
  return schema.Resolve(*map, key);
}

absl::StatusOr<StopTarget> ReadTarget(const Value& value) {
  SKEIN_ASSIGN_OR_RETURN(const Params params, Resolve(value, TargetSchema(), "stop.metric",
                                                      "metric: {name: accuracy, at_least: 0.8}"));
  if (params.Has("at_least") == params.Has("at_most")) {
    return absl::InvalidArgumentError("stop.metric: give either 'at_least' or 'at_most'");
  }
  StopTarget rule;
  rule.metric = params.String("name");
  rule.at_least = params.Has("at_least");
  rule.value = params.Real(rule.at_least ? "at_least" : "at_most");
  rule.training = params.String("from") == "training";
  return rule;
}

absl::StatusOr<StopPlateau> ReadPlateau(const Value& value) {
  SKEIN_ASSIGN_OR_RETURN(const Params params, Resolve(value, PlateauSchema(), "stop.plateau",
                                                      "plateau: {metric: loss, rounds: 5}"));
  StopPlateau rule;
  rule.metric = params.String("metric");
  rule.rounds = static_cast<uint64_t>(params.Int("rounds"));
  rule.min_delta = params.Real("min_delta");
  rule.lower_is_better =
      params.StringOr("better", LowerIsBetter(rule.metric) ? "lower" : "higher") == "lower";
  rule.training = params.String("from") == "training";
  return rule;
}

absl::StatusOr<double> ReadBudget(const std::string& key, const Value& value, double max,
                                  double before) {
  if (before != 0) return absl::InvalidArgumentError("stop." + key + ": it is given twice");
  SKEIN_ASSIGN_OR_RETURN(const Params params,
                         BudgetSchema(key.c_str(), max).Resolve({{key, value}}, "stop"));
  return params.Real(key);
}

// `rules` with those of one more map.
absl::StatusOr<StopRules> With(StopRules rules, const ValueMap& map) {
  for (const auto& [key, value] : map) {
    if (value.is_null()) continue;
    if (key == "metric") {
      SKEIN_ASSIGN_OR_RETURN(StopTarget rule, ReadTarget(value));
      rules.targets.push_back(std::move(rule));
    } else if (key == "plateau") {
      SKEIN_ASSIGN_OR_RETURN(StopPlateau rule, ReadPlateau(value));
      rules.plateaus.push_back(std::move(rule));
    } else if (key == "time_s") {
      SKEIN_ASSIGN_OR_RETURN(rules.time_s, ReadBudget(key, value, kMaxSeconds, rules.time_s));
    } else if (key == "bytes_mb") {
      SKEIN_ASSIGN_OR_RETURN(rules.bytes_mb, ReadBudget(key, value, kMaxMegabytes, rules.bytes_mb));
    } else {
      return absl::InvalidArgumentError("stop: unknown key " + QuoteName(key) +
                                        Suggestion(key, kKeys));
    }
  }
  return rules;
}

const char* SourceName(bool training) { return training ? "training" : "evaluation"; }

ValueMap ToValues(const StopTarget& rule) {
  return {{"name", rule.metric},
          {rule.at_least ? "at_least" : "at_most", rule.value},
          {"from", SourceName(rule.training)}};
}

ValueMap ToValues(const StopPlateau& rule) {
  return {{"metric", rule.metric},
          {"rounds", rule.rounds},
          {"min_delta", rule.min_delta},
          {"better", rule.lower_is_better ? "lower" : "higher"},
          {"from", SourceName(rule.training)}};
}

absl::Status CheckEvaluated(const char* rule, const std::string& metric, bool training,
                            const EvaluateSpec& evaluate) {
  if (training || evaluate.coordinator || evaluate.workers) return absl::OkStatus();
  return absl::InvalidArgumentError(std::string(rule) + ": " + QuoteName(metric) +
                                    " is never evaluated, since 'evaluate' is none; set it, or "
                                    "take the metric 'from: training'");
}

}  // namespace

absl::StatusOr<StopRules> StopRulesFromValue(const Value& value) {
  if (value.is_null()) return StopRules();
  const absl::Status wrong = absl::InvalidArgumentError(
      "stop: must be a map of rules or a list of such maps, as in stop: {time_s: 600}");
  ValueList maps;
  if (value.AsMap() != nullptr) {
    maps.push_back(value);
  } else if (const ValueList* list = value.AsList()) {
    maps = *list;
  } else {
    return wrong;
  }
  StopRules rules;
  for (const Value& map : maps) {
    if (map.AsMap() == nullptr) return wrong;
    SKEIN_ASSIGN_OR_RETURN(rules, With(std::move(rules), *map.AsMap()));
  }
  return rules;
}

Value ToValue(const StopRules& rules) {
  ValueList list;
  for (const StopTarget& rule : rules.targets) list.push_back(ValueMap{{"metric", ToValues(rule)}});
  for (const StopPlateau& rule : rules.plateaus) {
    list.push_back(ValueMap{{"plateau", ToValues(rule)}});
  }
  if (rules.time_s > 0) list.push_back(ValueMap{{"time_s", rules.time_s}});
  if (rules.bytes_mb > 0) list.push_back(ValueMap{{"bytes_mb", rules.bytes_mb}});
  return list.empty() ? Value() : Value(std::move(list));
}

absl::Status CheckStopRules(const StopRules& rules, const EvaluateSpec& evaluate) {
  // What was built in code is held to what a spec may say.
  SKEIN_RETURN_IF_ERROR(StopRulesFromValue(ToValue(rules)).status());
  if (!(rules.time_s >= 0)) return absl::InvalidArgumentError("stop.time_s: must not be negative");
  if (!(rules.bytes_mb >= 0))
    return absl::InvalidArgumentError("stop.bytes_mb: must not be negative");
  for (const StopTarget& rule : rules.targets) {
    SKEIN_RETURN_IF_ERROR(CheckEvaluated("stop.metric", rule.metric, rule.training, evaluate));
  }
  for (const StopPlateau& rule : rules.plateaus) {
    SKEIN_RETURN_IF_ERROR(CheckEvaluated("stop.plateau", rule.metric, rule.training, evaluate));
  }
  return absl::OkStatus();
}

}  // namespace skein
