#include "runtime/worker_core.h"

#include <algorithm>
#include <utility>

#include "runtime/transitions.h"
#include "skein/base/status.h"

namespace skein {
namespace {

using Phase = WorkerCore::Phase;

constexpr WorkerCore::Transition kTransitions[] = {
    {Phase::kIdle, Phase::kAwaitingModel, "a task came before its model"},
    {Phase::kIdle, Phase::kWorking, "a task came and its model is here"},
    {Phase::kAwaitingModel, Phase::kWorking, "the model came"},
    {Phase::kAwaitingModel, Phase::kAwaitingModel, "a newer task came"},
    {Phase::kAwaitingModel, Phase::kIdle, "cancelled"},
    {Phase::kWorking, Phase::kIdle, "the learner returned"},
    {Phase::kWorking, Phase::kStopping, "cancelled, or a newer task came"},
    {Phase::kStopping, Phase::kIdle, "the learner returned"},
    {Phase::kStopping, Phase::kStuck, "the grace period passed"},
};

constexpr size_t kUpdatesKept = 2;

}  // namespace

std::span<const WorkerCore::Transition> WorkerCore::Transitions() { return kTransitions; }

std::vector<WorkerAction> WorkerCore::Handle(const WorkerEvent& event, Time now) {
  now_ = now;
  actions_.clear();
  std::visit([this](const auto& e) { On(e); }, event);
  return std::move(actions_);
}

void WorkerCore::On(const worker_event::LinkUp&) {
  // The parent may not have what was under way when the last link broke.
  for (const Kept& kept : kept_) {
    if (!kept.answered) Do(worker_action::OfferUpdate{kept.seq});
  }
}

void WorkerCore::On(const worker_event::TaskArrived& e) {
  const bool busy = phase_ == Phase::kWorking || phase_ == Phase::kStopping;
  if (phase_ == Phase::kStuck) {
    SendFailure(e.task, "its learner did not return after it was cancelled in round " +
                            std::to_string(running_.round));
    return;
  }
  if (task_ && IsSameTask(*task_, e.task)) return;
  if (busy && wanted_ && IsSameTask(running_, e.task)) return;
  if (e.task.kind == TaskKind::kTrain) {
    for (Kept& kept : kept_) {
      if (kept.seq != e.task.seq_first) continue;
      // Trained already. Either its offer is on this link, or the parent has forgotten the answer.
      if (std::exchange(kept.answered, false)) Do(worker_action::OfferUpdate{kept.seq});
      return;
    }
  }
  if (e.task.kind == TaskKind::kTrain) {
    // Another attempt at the round: what an earlier one has made of it is void.
    std::erase_if(kept_, [&](const Kept& kept) {
      const bool is_void = kept.round == e.task.round && kept.local_round == e.task.local_round &&
                           kept.attempt < e.task.attempt;
      if (is_void) Do(worker_action::DropUpdate{kept.seq});
      return is_void;
    });
  }
  task_ = e.task;
  if (busy) {
    StopWork();
  } else {
    Begin();
  }
}

void WorkerCore::Begin() {
  if (!task_) return;
  if (model_ != task_->base) {
    Enter(Phase::kAwaitingModel);
    return;
  }
  running_ = *std::exchange(task_, std::nullopt);
  wanted_ = true;
  Enter(Phase::kWorking);
  Do(worker_action::StartWork{++starts_, running_});
}

void WorkerCore::On(const worker_event::ModelArrived& e) {
  model_ = e.version;
  if (phase_ == Phase::kAwaitingModel) Begin();
}

void WorkerCore::On(const worker_event::ModelGone&) { model_.reset(); }

void WorkerCore::On(const worker_event::WorkEnded& e) {
  if (e.start != starts_ || (phase_ != Phase::kWorking && phase_ != Phase::kStopping)) return;
  Enter(Phase::kIdle);
  if (wanted_) {
    if (!e.status.ok()) {
      const bool bad_update =
          running_.kind == TaskKind::kTrain && absl::IsInvalidArgument(e.status);
      SendFailure(running_, Message(e.status), bad_update);
      // What was kept for an update that could not be encoded is void with it.
      if (running_.kind == TaskKind::kTrain) Do(worker_action::DropUpdate{running_.seq_first});
    } else if (running_.kind == TaskKind::kEvaluate) {
      Do(worker_action::SendEvaluation{running_});
    } else {
      Keep(running_);
      Do(worker_action::OfferUpdate{running_.seq_first});
    }
  } else if (running_.kind == TaskKind::kTrain) {
    Do(worker_action::DropUpdate{running_.seq_first});
  }
  Begin();
}

void WorkerCore::Keep(const Task& task) {
  kept_.push_back({task.seq_first, task.round, task.local_round, task.attempt, false});
  while (kept_.size() > kUpdatesKept) {
    Do(worker_action::DropUpdate{kept_.front().seq, kept_.front().answered});
    kept_.erase(kept_.begin());
  }
}

std::vector<Seq> WorkerCore::answered() const {
  std::vector<Seq> seqs;
  for (const Kept& kept : kept_) {
    if (kept.answered) seqs.push_back(kept.seq);
  }
  return seqs;
}

void WorkerCore::On(const worker_event::UpdateAnswered& e) {
  auto it = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& k) { return k.seq == e.seq; });
  if (it == kept_.end()) return;
  const bool taken = e.status.ok();
  it->answered = taken;
  if (taken && !it->committed) return;
  // It counts for good, or it is refused or no longer wanted.
  Do(worker_action::DropUpdate{e.seq, taken});
  kept_.erase(it);
}

void WorkerCore::On(const worker_event::Cancelled& e) {
  auto matches = [&](const Task& t) {
    return t.round == e.round && t.local_round == e.local_round;
  };
  if (task_ && matches(*task_)) {
    task_.reset();
    if (phase_ == Phase::kAwaitingModel) Enter(Phase::kIdle);
  }
  if (phase_ == Phase::kWorking && matches(running_)) StopWork();
  std::erase_if(kept_, [&](const Kept& kept) {
    const bool cancelled = kept.round == e.round && kept.local_round == e.local_round;
    if (cancelled) Do(worker_action::DropUpdate{kept.seq});
    return cancelled;
  });
}

void WorkerCore::StopWork() {
  wanted_ = false;
  if (phase_ == Phase::kStopping) return;
  Enter(Phase::kStopping);
  stop_by_ = now_ + cancel_grace_;
  Do(worker_action::CancelWork{});
  Do(worker_action::WakeAt{stop_by_});
}

void WorkerCore::On(const worker_event::Committed& e) {
  std::erase_if(kept_, [&](Kept& kept) {
    if (kept.round > e.round) return false;
    kept.committed = true;
    if (kept.answered) Do(worker_action::DropUpdate{kept.seq, true});
    return kept.answered;
  });
}

void WorkerCore::On(const worker_event::Tick&) {
  if (phase_ != Phase::kStopping || now_ < stop_by_) return;
  Enter(Phase::kStuck);
  Do(worker_action::AbandonWork{});
  if (task_) {
    SendFailure(*task_, "its learner did not return after it was cancelled in round " +
                            std::to_string(running_.round));
    task_.reset();
  }
}

void WorkerCore::SendFailure(const Task& task, const std::string& reason, bool bad_update) {
  Do(worker_action::SendFailed{
      TaskFailedFrame{task.kind, task.round, task.local_round, reason, bad_update}});
}

void WorkerCore::Enter(Phase to) { phase_ = Declared(Transitions(), phase_, to); }

}  // namespace skein
