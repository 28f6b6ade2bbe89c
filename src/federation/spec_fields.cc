#include "federation/spec_fields.h"

#include <cmath>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "topology/yaml_fields.h"

namespace skein {
namespace {

absl::StatusOr<EvaluateSpec> WhereFrom(const YamlDocument& document, const YamlNode& node) {
  SKEIN_ASSIGN_OR_RETURN(const std::string where, ReadString(document, node, "evaluate"));
  const std::vector<std::string> known = {"none", "coordinator", "workers", "both"};
  for (const std::string& name : known) {
    if (where != name) continue;
    EvaluateSpec evaluate;
    evaluate.coordinator = name == "coordinator" || name == "both";
    evaluate.workers = name == "workers" || name == "both";
    return evaluate;
  }
  return document.Error(node.mark,
                        "evaluate: unknown place " + QuoteName(where) + Suggestion(where, known));
}

absl::Status CheckLimits(const RuntimeLimits& limits) {
  for (const TimeLimit& limit : TimeLimits()) {
    const double seconds = ToSeconds(limits.*limit.field);
    if (seconds >= limit.min_s && seconds <= kMaxLimitSeconds) continue;
    return absl::InvalidArgumentError("limits." + std::string(limit.key) +
                                      ": out of range, at most 1e6 seconds and not negative");
  }
  if (limits.heartbeat_timeout <= limits.heartbeat_interval) {
    return absl::InvalidArgumentError(
        "limits.heartbeat_timeout_s: not longer than heartbeat_interval_s, so that every node "
        "would be lost: raise it");
  }
  if (limits.staging_bytes > kMaxStagingBytes) {
    return absl::InvalidArgumentError("limits.staging_bytes: above 2^50");
  }
  return absl::OkStatus();
}

}  // namespace

const std::vector<TimeLimit>& TimeLimits() {
  static const std::vector<TimeLimit> limits = {
      {"heartbeat_interval_s", &RuntimeLimits::heartbeat_interval, 1e-3},
      {"heartbeat_timeout_s", &RuntimeLimits::heartbeat_timeout, 1e-3},
      {"start_timeout_s", &RuntimeLimits::start_timeout, 1e-3},
      {"upload_stall_timeout_s", &RuntimeLimits::upload_stall_timeout, 1e-3},
      {"cancel_grace_s", &RuntimeLimits::cancel_grace, 0},
  };
  return limits;
}

absl::StatusOr<EvaluateSpec> ReadEvaluate(const YamlDocument& document, const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kMap) return WhereFrom(document, node);
  SKEIN_RETURN_IF_ERROR(CheckMap(document, node, "evaluate", {"where", "every"}));
  EvaluateSpec evaluate;
  if (const YamlNode* where = FindValue(node, "where")) {
    SKEIN_ASSIGN_OR_RETURN(evaluate, WhereFrom(document, *where));
  }
  if (const YamlNode* every = FindValue(node, "every")) {
    SKEIN_ASSIGN_OR_RETURN(const int64_t rounds,
                           ReadInt(document, *every, "evaluate.every", 1, kMaxRounds));
    evaluate.every = static_cast<uint64_t>(rounds);
  }
  return evaluate;
}

absl::StatusOr<RuntimeLimits> ReadLimits(const YamlDocument& document, const YamlNode& node) {
  std::vector<std::string> keys = {"staging_bytes"};
  for (const TimeLimit& limit : TimeLimits()) keys.push_back(limit.key);
  SKEIN_RETURN_IF_ERROR(CheckMap(document, node, "limits", keys));
  RuntimeLimits limits;
  for (const TimeLimit& limit : TimeLimits()) {
    const YamlNode* value = FindValue(node, limit.key);
    if (value == nullptr) continue;
    SKEIN_ASSIGN_OR_RETURN(const double seconds,
                           ReadReal(document, *value, "limits." + std::string(limit.key),
                                    limit.min_s, kMaxLimitSeconds));
    // Rounded, not cut as FromSeconds does: what ToSeconds gives must read back the same.
    limits.*limit.field = Duration(std::llround(seconds * 1e9));
  }
  if (const YamlNode* bytes = FindValue(node, "staging_bytes")) {
    SKEIN_ASSIGN_OR_RETURN(const int64_t count, ReadInt(document, *bytes, "limits.staging_bytes", 0,
                                                        int64_t{kMaxStagingBytes}));
    limits.staging_bytes = static_cast<uint64_t>(count);
  }
  if (absl::Status status = CheckLimits(limits); !status.ok()) {
    return document.Error(node.mark, Message(status));
  }
  return limits;
}

const char* NameOf(const EvaluateSpec& evaluate) {
  if (evaluate.coordinator) return evaluate.workers ? "both" : "coordinator";
  return evaluate.workers ? "workers" : "none";
}

absl::Status CheckFields(const RunConfig& config) {
  if (absl::Status status = CheckName(config.name); !status.ok()) {
    return absl::InvalidArgumentError("name: " + QuoteName(config.name) + " " + Message(status));
  }
  if (config.rounds < 1 || config.rounds > kMaxRounds) {
    return absl::InvalidArgumentError("rounds: expected an integer from 1 to " +
                                      std::to_string(kMaxRounds) + ", got " +
                                      std::to_string(config.rounds));
  }
  if (config.evaluate.every < 1 || config.evaluate.every > kMaxRounds) {
    return absl::InvalidArgumentError("evaluate.every: expected an integer from 1 to " +
                                      std::to_string(kMaxRounds) + ", got " +
                                      std::to_string(config.evaluate.every));
  }
  return CheckLimits(config.limits);
}

}  // namespace skein
