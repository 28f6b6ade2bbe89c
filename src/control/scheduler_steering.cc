// What stopping rules and the hook make of rounds and evaluations.
#include <algorithm>
#include <utility>

#include "control/steering/steering_events.h"
#include "skein/control/scheduler_core.h"

namespace skein {
namespace {

uint64_t Sum(const std::vector<TierTraffic>& bytes) {
  uint64_t sum = 0;
  for (const TierTraffic& tier : bytes) sum += tier.up + tier.down;
  return sum;
}

}  // namespace

void SchedulerCore::ConsultOnCommit(const scheduler::RoundResult& event) {
  const RoundResultMsg& result = event.message;
  if (stop_reason_) return;
  stop_reason_ = stopping_.OnCommitted(result.round, result.metrics, Sum(event.bytes));
  SteeringRecord record;
  record.moment = SteeringRecord::Moment::kCommitted;
  record.round = result.round;
  record.metrics = result.metrics;
  record.num_samples = result.num_samples;
  record.bytes = event.bytes;
  record.wall_s = ToSeconds(now_ - round_opened_);
  record.participants = round_.participants;
  record.contributors = result.roster;
  uint64_t versions_old = 0;
  for (const BaseCount& base : result.bases) {
    const uint64_t newest = result.version.version - 1;
    const uint64_t staleness = newest - std::min(newest, base.version);
    record.updates += base.updates;
    versions_old += base.updates * staleness;
    record.max_staleness = std::max(record.max_staleness, staleness);
  }
  if (record.updates > 0) {
    record.mean_staleness = static_cast<double>(versions_old) / static_cast<double>(record.updates);
  } else {
    record.updates = result.roster.Count();
  }
  Steer(std::move(record));
}

void SchedulerCore::ConsultOnEvaluation(const scheduler::Evaluated& event) {
  const EvaluatedMsg& result = event.message;
  if (stop_reason_) return;
  stop_reason_ = stopping_.OnEvaluated(result.round, result.where, result.metrics);
  SteeringRecord record;
  record.moment = SteeringRecord::Moment::kEvaluated;
  record.round = result.round;
  record.metrics = result.metrics;
  record.num_samples = result.num_samples;
  record.bytes = event.bytes;
  record.where = result.where;
  Steer(std::move(record));
}

void SchedulerCore::Steer(SteeringRecord record) {
  for (const std::string& warning : stopping_.TakeWarnings()) {
    Event warned{0, event::kStopWarned, record.round, "", {{"reason", warning}}};
    actions_.push_back(scheduler::EmitEvent{std::move(warned)});
  }
  if (stop_reason_ || helm_ == nullptr) return;
  record.rounds = config_.rounds;
  record.time_s = ToSeconds(now_ - started_);
  Helm::Outcome outcome = helm_->Ask(record);
  if (!outcome.refused.empty()) return Refuse(record.round, outcome.refused);
  if (!outcome.decision.empty()) Apply(record, std::move(outcome));
}

void SchedulerCore::Refuse(uint64_t round, const std::string& why) {
  Event refused{0, event::kSteeringRefused, round, "", {{"reason", why}}};
  actions_.push_back(scheduler::EmitEvent{std::move(refused)});
}

void SchedulerCore::Apply(const SteeringRecord& record, Helm::Outcome outcome) {
  SteeringDecision& decision = outcome.decision;
  const bool changes = !decision.stop.has_value();
  const uint64_t next = model_->version + 1;
  decision.from_version = root_has_barrier_ ? next : std::max(next, decision.from_version);
  const StrategyChange& change = helm_->change();
  Event steered = ToEvent({.moment = record.moment,
                           .round = record.round,
                           .where = record.where,
                           .change = changes ? change.number : 0,
                           .decision = decision});
  actions_.push_back(scheduler::EmitEvent{std::move(steered)});
  if (!changes) {
    stop_reason_ = "steering: " + *decision.stop;
    return;
  }
  if (outcome.selector) selector_ = std::move(outcome.selector);
  loss_is_fatal_ = helm_->LossIsFatal();
  // With a barrier the next plan says it.
  if (root_has_barrier_) return;
  actions_.push_back(
      scheduler::SendTo{topology_->root().id, SteerMsg{decision.from_version, change}});
}

}  // namespace skein
