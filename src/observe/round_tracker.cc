#include "skein/observe/round_tracker.h"

#include <algorithm>
#include <utility>

#include "observe/event_fields.h"

namespace skein {

std::vector<TierTraffic> TrafficOf(const Event& event) {
  constexpr uint64_t kMaxTiers = 64;  // more than a topology can have: the field comes from outside
  std::vector<TierTraffic> traffic;
  const auto it = event.fields.find("bytes");
  const ValueList* list = it == event.fields.end() ? nullptr : it->second.AsList();
  if (list == nullptr) return traffic;
  for (const Value& item : *list) {
    const ValueMap* fields = item.AsMap();
    if (fields == nullptr) continue;
    const uint64_t tier = CountField(*fields, "tier");
    if (tier >= kMaxTiers) continue;
    if (traffic.size() <= tier) traffic.resize(tier + 1);
    traffic[tier] = {CountField(*fields, "up"), CountField(*fields, "down")};
  }
  return traffic;
}

std::optional<double> RoundSummary::Evaluated(const std::string& metric) const {
  const auto it = evaluation.find(metric);
  if (it == evaluation.end()) return std::nullopt;
  return it->second;
}

std::optional<RoundSummary> RoundTracker::Conclude() {
  std::optional<RoundSummary> concluded;
  if (current_.committed) concluded = std::move(current_);
  current_ = {};
  direct_ = partials_ = 0;
  evaluated_by_coordinator_ = false;
  return concluded;
}

std::optional<RoundSummary> RoundTracker::OnEvent(const Event& event) {
  const ValueMap& fields = event.fields;
  if (event.type == event::kNodeStarted) {
    if (TextField(fields, "role") == "coordinator") coordinator_ = event.node;
    return std::nullopt;
  }
  if (event.type == event::kRunEnded) return Conclude();
  if (event.type == event::kRoundOpened) {
    std::optional<RoundSummary> concluded = Conclude();
    current_.round = event.round;
    current_.participants = CountField(fields, "participants");
    return concluded;
  }
  if (event.round != current_.round) return std::nullopt;
  if (event.type == event::kUpdateAccepted) {
    ++direct_;
  } else if (event.type == event::kPartialAccepted) {
    if (TextField(fields, "parent") == coordinator_) partials_ += CountField(fields, "updates");
  } else if (event.type == event::kUpdateRejected) {
    ++current_.rejected;
  } else if (event.type == event::kRoundCommitted) {
    current_.committed = true;
    current_.contributors = CountField(fields, "contributors");
    const uint64_t counted = current_.contributors + current_.rejected;
    current_.left_out = current_.participants - std::min(current_.participants, counted);
    current_.samples = CountField(fields, "samples");
    current_.wall_s = NumberField(fields, "wall_s").value_or(0);
    current_.digest = TextField(fields, "digest");
    current_.bytes = TrafficOf(event);
    current_.training = NumbersField(fields, "metrics");
  } else if (event.type == event::kEvaluated && !evaluated_by_coordinator_) {
    evaluated_by_coordinator_ = TextField(fields, "where") == "coordinator";
    current_.evaluation = NumbersField(fields, "metrics");
    for (const char* metric : {"loss", "accuracy"}) {
      if (const auto value = NumberField(fields, metric)) current_.evaluation[metric] = *value;
    }
  }
  current_.arrived = std::max(direct_, partials_);
  return std::nullopt;
}

}  // namespace skein
