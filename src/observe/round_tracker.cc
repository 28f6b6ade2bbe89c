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

std::vector<RoundSummary> RoundTracker::Conclude() {
  std::vector<RoundSummary> concluded = ConcludeVersions(/*all=*/true);
  if (current_.committed) concluded.push_back(std::move(current_));
  current_ = {};
  direct_ = partials_ = 0;
  evaluated_by_coordinator_ = false;
  return concluded;
}

std::vector<RoundSummary> RoundTracker::ConcludeVersions(bool all) {
  std::vector<RoundSummary> concluded;
  while (!versions_.empty() && (all || !versions_.front().awaits_evaluation)) {
    concluded.push_back(std::move(versions_.front().summary));
    versions_.pop_front();
  }
  return concluded;
}

void RoundTracker::OnCommitted(const Event& event) {
  const ValueMap& fields = event.fields;
  current_.committed = true;
  current_.contributors = CountField(fields, "contributors");
  const uint64_t counted = current_.contributors + current_.rejected;
  current_.left_out = current_.participants - std::min(current_.participants, counted);
  current_.samples = CountField(fields, "samples");
  current_.wall_s = NumberField(fields, "wall_s").value_or(0);
  current_.digest = TextField(fields, "digest");
  current_.bytes = TrafficOf(event);
  current_.training = NumbersField(fields, "metrics");
}

void RoundTracker::OnVersion(const Event& event) {
  has_versions_ = true;
  OnCommitted(event);
  current_.round = event.round;
  current_.updates = CountField(event.fields, "updates");
  current_.left_out = 0;  // they go on
  const auto it = event.fields.find("evaluating");
  const bool* evaluating = it == event.fields.end() ? nullptr : it->second.AsBool();
  RoundSummary next;
  next.round = event.round + 1;
  next.participants = current_.participants;
  versions_.push_back(
      {std::exchange(current_, std::move(next)), evaluating != nullptr && *evaluating});
  direct_ = partials_ = 0;
}

void RoundTracker::OnEvaluated(const Event& event, RoundSummary& round) {
  round.evaluation = NumbersField(event.fields, "metrics");
  for (const char* metric : {"loss", "accuracy"}) {
    if (const auto value = NumberField(event.fields, metric)) round.evaluation[metric] = *value;
  }
}

void RoundTracker::OnLateEvaluation(const Event& event) {
  if (late_by_coordinator_) return;
  late_by_coordinator_ = TextField(event.fields, "where") == "coordinator";
  RoundSummary round;
  OnEvaluated(event, round);
  late_evaluation_ = std::move(round.evaluation);
}

std::vector<RoundSummary> RoundTracker::OnEvent(const Event& event) {
  const ValueMap& fields = event.fields;
  if (event.type == event::kNodeStarted) {
    if (TextField(fields, "role") == "coordinator") coordinator_ = event.node;
    return {};
  }
  if (event.type == event::kRunEnded) return Conclude();
  if (event.type == event::kRoundOpened) {
    std::vector<RoundSummary> concluded = Conclude();
    current_.round = event.round;
    current_.participants = CountField(fields, "participants");
    return concluded;
  }
  if (event.type == event::kVersionCommitted) {
    OnVersion(event);
    return ConcludeVersions(/*all=*/false);
  }
  if (event.type == event::kEvaluated && has_versions_) {
    const auto version = std::ranges::find_if(
        versions_, [&](const Version& v) { return v.summary.round == event.round; });
    if (version != versions_.end()) {
      OnEvaluated(event, version->summary);
      version->awaits_evaluation = false;
    } else {
      OnLateEvaluation(event);
    }
    return ConcludeVersions(/*all=*/false);
  }
  if (event.type == event::kEvaluated && event.round < current_.round) OnLateEvaluation(event);
  // Without a barrier a contribution may be to an older version.
  if (event.round != current_.round && !has_versions_) return {};
  if (event.type == event::kUpdateAccepted) {
    ++direct_;
  } else if (event.type == event::kPartialAccepted) {
    if (TextField(fields, "parent") == coordinator_) partials_ += CountField(fields, "updates");
  } else if (event.type == event::kUpdateRejected) {
    ++current_.rejected;
  } else if (event.type == event::kRoundCommitted) {
    OnCommitted(event);
  } else if (event.type == event::kEvaluated && !evaluated_by_coordinator_) {
    evaluated_by_coordinator_ = TextField(fields, "where") == "coordinator";
    OnEvaluated(event, current_);
  }
  current_.arrived = std::max(direct_, partials_);
  return {};
}

}  // namespace skein
