// How a run ends: the part of SchedulerCore that begins when no further round is wanted.
#include <algorithm>
#include <tuple>
#include <utility>

#include "skein/base/status.h"
#include "skein/control/scheduler_core.h"

namespace skein {

using scheduler::State;

// ---- by a rule ----

// With a barrier the open round is given up. Without one the coordinator may have made further
// versions by the time it hears of it: the last of them is the run's.
void SchedulerCore::Finish() {
  FinishMsg finish{.reason = *stop_reason_};
  finish.participants = round_.participants.Intersection(members_.Available());
  finish.evaluate_at_coordinator = config_.evaluate.coordinator;
  finish.evaluate_at_workers = config_.evaluate.workers && !finish.participants.empty();
  if (root_has_barrier_) {
    round_.state = "failed";
    round_.reason = *stop_reason_;
    Persist(round_);
    if (evaluated_ == model_) finish.evaluate_at_coordinator = finish.evaluate_at_workers = false;
    if (finish.evaluate_at_coordinator) evaluating_.insert("coordinator");
    if (finish.evaluate_at_workers) evaluating_.insert("workers");
  }
  actions_.push_back(scheduler::SendTo{topology_->root().id, std::move(finish)});
  MoveTo(State::kFinishing);
}

void SchedulerCore::On(const scheduler::Finished& event) {
  const FinishedMsg& result = event.message;
  if (state_ != State::kFinishing || finished_ || !FromCoordinator(event.node)) return;
  if (result.code != 0) return Fail("the last version could not be stored: " + result.message);
  if (result.version != *model_) {
    return Fail("the coordinator stored version " + ToString(result.version) + " where " +
                ToString(*model_) + " is the last that was committed");
  }
  finished_ = true;
  stored_version_ = result.version;
  stored_digest_ = result.digest;
  if (last_commit_.version == result.version && last_commit_.digest.empty()) {
    last_commit_.digest = result.digest;
    if (last_commit_.round != 0) Persist(last_commit_);
  }
  if (result.evaluating && !root_has_barrier_) versions_evaluating_.insert(result.version.version);
  CompleteIfDone();
}

void SchedulerCore::CompleteIfDone() {
  if (finished_ && evaluating_.empty() && versions_evaluating_.empty()) Complete();
}

void SchedulerCore::Complete() { Stop(0, "completed", stop_reason_.value_or("")); }

// ---- however it is ----

void SchedulerCore::On(const scheduler::StopRequested& event) {
  if (Running()) Stop(static_cast<int>(absl::StatusCode::kCancelled), "stopped", event.reason);
}

void SchedulerCore::Fail(const std::string& reason) {
  Stop(static_cast<int>(absl::StatusCode::kAborted), "failed", reason);
}

void SchedulerCore::Stop(int code, const std::string& status, const std::string& reason) {
  const bool under_way = state_ == State::kTraining || state_ == State::kFinishing;
  if (under_way && round_.state == "open") {
    round_.state = "failed";
    round_.reason = reason;
    Persist(round_);
  }
  record_.status = status;
  record_.reason = reason;
  PersistStatus();
  MoveTo(State::kStopping);
  for (const size_t node : members_.Live()) {
    actions_.push_back(scheduler::SendTo{topology_->node(node).id, StopMsg{code, reason}});
  }
  AwaitGoodbyes();
}

void SchedulerCore::On(const scheduler::StoreFailed& event) {
  // What was to follow the failed write was not done, so it is done here, without more writes: the
  // store cannot be relied on, and the nodes must stop all the same.
  const std::string reason = "the run store failed: " + Message(event.status);
  if (record_.status != "failed" || record_.reason.empty()) record_.reason = reason;
  record_.status = "failed";
  if (event.lost_commit && counted_) {
    --committed_;
    // With a barrier a version takes its place only once it is committed.
    if (root_has_barrier_) std::tie(stored_version_, stored_digest_) = stored_before_;
  }
  if (state_ == State::kEnded) return End();
  if (Running()) MoveTo(State::kStopping);
  const StopMsg stop{static_cast<int>(absl::StatusCode::kAborted), record_.reason};
  for (const size_t node : members_.Live()) {
    actions_.push_back(scheduler::SendTo{topology_->node(node).id, stop});
  }
  AwaitGoodbyes();
}

void SchedulerCore::AwaitGoodbyes() {
  // Learners get their grace to return, and what they interrupt as much again to be tidied up.
  const Duration grace = std::max<Duration>(config_.limits.cancel_grace, Duration(1));
  stop_deadline_ = After(After(now_, grace), grace);
  Wake(stop_deadline_);
  EndIfAllGone();
}

void SchedulerCore::EndIfAllGone() {
  if (state_ == State::kStopping && members_.num_live() == 0) End();
}

void SchedulerCore::End() {
  if (state_ != State::kEnded) MoveTo(State::kEnded);
  Event ended{0, event::kRunEnded, round_.round, "", {}};
  ended.fields = {{"status", record_.status},
                  {"reason", record_.reason},
                  {"rounds", committed_},
                  {"wall_s", ToSeconds(now_ - started_)}};
  if (!stored_digest_.empty()) {
    ended.fields["version"] = stored_version_.version;
    ended.fields["digest"] = stored_digest_;
  }
  actions_.push_back(scheduler::EmitEvent{std::move(ended)});
  actions_.push_back(scheduler::Finish{record_.status, record_.reason, committed_});
}

}  // namespace skein
