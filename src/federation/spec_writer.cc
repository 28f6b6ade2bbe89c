#include <cstdint>
#include <string>
#include <utility>

#include "federation/spec_fields.h"
#include "skein/federation/run_spec.h"
#include "topology/yaml_writer.h"

namespace skein {
namespace {

Value PartValue(const PartSpec& part) {
  ValueMap map = part.params;
  map["name"] = part.name;
  return Value(std::move(map));
}

Value PartsValue(const std::vector<PartSpec>& parts) {
  ValueList list;
  for (const PartSpec& part : parts) list.push_back(PartValue(part));
  return Value(std::move(list));
}

Value LinkValue(const LinkSpec& link) {
  ValueMap map;
  if (link.updates) map["updates"] = PartsValue(*link.updates);
  if (link.partials) map["partials"] = PartsValue(*link.partials);
  if (link.models) map["models"] = PartsValue(*link.models);
  return Value(std::move(map));
}

void AppendLine(const std::string& key, const Value& value, std::string& out) {
  out += key + ": " + ToFlowYaml(value) + "\n";
}

void AppendTopology(const RunSpec& spec, std::string& out) {
  if (Topology::LooksLikeShape(spec.topology_text)) {
    out += "topology: " + spec.topology_text + "\n";
    return;
  }
  out += "topology:\n";
  const std::string text = ToYaml(spec.topology);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin) + 1;
    out += "  ";
    out.append(text, begin, end - begin);
    begin = end;
  }
}

void AppendStrategy(const StrategySpec& strategy, std::string& out) {
  out += "strategy:\n";
  AppendLine("  fold", PartValue(strategy.fold), out);
  AppendLine("  optimizer", PartValue(strategy.optimizer), out);
  AppendLine("  selector", PartValue(strategy.selector), out);
  AppendLine("  policy", PartValue(strategy.policy), out);
  AppendLine("  staleness", PartValue(strategy.staleness), out);
  AppendLine("  mixing", PartValue(strategy.mixing), out);
  AppendLine("  filters", PartsValue(strategy.filters), out);
  AppendLine("  terms", PartsValue(strategy.terms), out);
  AppendLine("  links", LinkValue(strategy.links), out);
  ValueList tiers;
  for (const TierSpec& tier : strategy.tiers) {
    ValueMap map = {{"tier", tier.tier}, {"kappa", tier.kappa}};
    if (tier.policy) map["policy"] = PartValue(*tier.policy);
    if (tier.fold) map["fold"] = PartValue(*tier.fold);
    if (tier.collect) map["collect"] = true;
    if (tier.passes) map["passes"] = true;
    if (tier.link != LinkSpec{}) map["link"] = LinkValue(tier.link);
    tiers.emplace_back(std::move(map));
  }
  AppendLine("  tiers", Value(std::move(tiers)), out);
}

void AppendLimits(const RuntimeLimits& limits, std::string& out) {
  out += "limits:\n";
  for (const TimeLimit& limit : TimeLimits()) {
    AppendLine("  " + std::string(limit.key), Value(ToSeconds(limits.*limit.field)), out);
  }
  AppendLine("  staging_bytes", Value(limits.staging_bytes), out);
}

Value PathValue(const std::string& path) { return path.empty() ? Value() : Value(path); }

}  // namespace

std::string ToYaml(const RunSpec& spec) {
  const RunConfig& config = spec.config;
  std::string out;
  AppendLine("name", Value(config.name), out);
  AppendTopology(spec, out);
  AppendLine("learner", ValueMap{{"name", config.learner.name}, {"params", config.learner.params}},
             out);
  AppendLine("data", Value(config.data), out);
  AppendStrategy(config.strategy, out);
  out += "rounds: " + std::to_string(config.rounds) + "\n";
  out += "seed: " + std::to_string(config.seed) + "\n";  // above int64 too
  AppendLine("init", PathValue(config.init), out);
  AppendLine("evaluate",
             ValueMap{{"where", NameOf(config.evaluate)},
                      {"every", static_cast<int64_t>(config.evaluate.every)}},
             out);
  AppendLimits(config.limits, out);
  AppendLine("stop", ToValue(spec.stop), out);
  AppendLine("steering", spec.steering.name.empty() ? Value() : PartValue(spec.steering), out);
  AppendLine("conditions", Value(ToValues(config.conditions)), out);
  AppendLine("worker_state", PathValue(config.worker_state), out);
  AppendLine("output", PathValue(spec.output), out);
  return out;
}

}  // namespace skein
