#include "runtime/barrier_core.h"

#include <algorithm>
#include <utility>

#include "runtime/transitions.h"
#include "skein/base/status.h"

namespace skein {
namespace {

using Phase = BarrierCore::Phase;

constexpr BarrierCore::Transition kTransitions[] = {
    {Phase::kIdle, Phase::kAwaitingModel, "a task came before its model"},
    {Phase::kIdle, Phase::kCollecting, "a task came and its model is here"},
    {Phase::kAwaitingModel, Phase::kCollecting, "the model came"},
    {Phase::kAwaitingModel, Phase::kIdle, "cancelled, or superseded by a newer task"},
    {Phase::kCollecting, Phase::kDelivering, "the policy closed the aggregation"},
    {Phase::kCollecting, Phase::kIdle, "the policy gave up, cancelled, or superseded"},
    {Phase::kDelivering, Phase::kCollecting, "the next local round begins, or the next pass"},
    {Phase::kDelivering, Phase::kIdle, "the result has arrived above, cancelled, or superseded"},
};

constexpr size_t kModelsKept = 1;  // what the next task begins with
constexpr size_t kFailuresNamed = 3;

}  // namespace

std::span<const BarrierCore::Transition> BarrierCore::Transitions() { return kTransitions; }

// ---- tasks ----

// A child that lost its link in the middle of a task hears of it again, and sends what it has.
void BarrierCore::OnLinked(Child& child) {
  if (child.owed) {
    Do(agg_action::SendCancel{child.view.id, *std::exchange(child.owed, std::nullopt)});
  }
  if (phase_ == Phase::kCollecting && child.standing == Standing::kPending) AskChild(child);
}

void BarrierCore::On(const agg_event::TaskArrived& e) {
  if (phase_ != Phase::kIdle) {
    if (IsSameTask(e.task, task_)) return;  // heard again after a reconnection
    SettlePending("round " + std::to_string(task_.round) + " was superseded");
    // A result that is on its way up may have arrived, and the answer been lost.
    if (phase_ != Phase::kDelivering) {
      for (Child& child : children_) child.counted.reset();
    }
    Enter(Phase::kIdle);
  } else if (given_up_ && IsSameTask(e.task, task_)) {
    // The parent has not heard of it. Another try would make other models under the same names.
    Do(agg_action::Abandon{task_, *given_up_});
    return;
  }
  if (e.task.base.pass > 0 && !GoesOn(e.task)) {
    Do(agg_action::Abandon{e.task, "'" + config_.view.id + "': " + ToString(e.task.base) +
                                       " asks about contributions that it does not hold"});
    return;
  }
  given_up_.reset();
  reports_.clear();
  task_ = e.task;
  local_ = 0;
  pass_ = e.task.base.pass;
  if (!InPass()) LetGo();
  if (!HasModel(task_.base)) {
    Enter(Phase::kAwaitingModel);
    return;
  }
  StartCollecting();
}

void BarrierCore::LetGo() {
  pass_ = 0;
  contributions_.reset();
}

bool BarrierCore::GoesOn(const Task& task) const {
  Task next = task_;
  ++next.base.pass;
  return contributions_ && IsSameTask(next, task) && task.participants == contributions_->roster;
}

void BarrierCore::On(const agg_event::ModelArrived& e) {
  std::erase(models_, e.version);
  models_.push_back(e.version);
  // The open task's base outlives its local models: their difference to it is the result.
  for (auto it = models_.begin(); models_.size() > kModelsKept && *it != e.version;) {
    const bool open = phase_ != Phase::kIdle;
    const bool needed =
        (open && (*it == task_.base || *it == LocalBase(local_) || *it == Base())) ||
        (contributions_ && *it == contributions_->base);
    it = needed ? it + 1 : models_.erase(it);
  }
  if (phase_ == Phase::kAwaitingModel && e.version == task_.base) StartCollecting();
  if (phase_ != Phase::kCollecting) return;
  // It came again: children that were left with half of it get it anew.
  for (Child& child : children_) {
    if (child.standing == Standing::kPending && child.linked != 0) OfferModel(child, Base());
  }
}

uint32_t BarrierCore::Share() const {
  return task_.kind == TaskKind::kTrain ? std::max(1u, task_.seq_count / config_.kappa)
                                        : task_.seq_count;
}

VersionRef BarrierCore::LocalBase(int local) const {
  VersionRef base = task_.base;
  if (local > 0) base.local_round = task_.local_round + local * Share();
  return base;
}

// Attempts at a round ask other questions about the same model.
VersionRef BarrierCore::BaseOf(uint32_t pass) const {
  VersionRef base = LocalBase(local_);
  if (!config_.leads_passes || pass == 0) return base;
  base.attempt = task_.attempt;
  base.pass = pass;
  return base;
}

Task BarrierCore::TaskOf(const Child& child) const {
  Task task = task_;
  task.local_round = task_.local_round + local_ * Share();
  task.seq_first = task_.seq_first + local_ * Share();
  task.seq_count = Share();
  task.base = Base();
  task.participants = Within(child, InPass() ? contributions_->roster : task_.participants);
  return task;
}

void BarrierCore::StartCollecting() {
  Enter(Phase::kCollecting);
  opened_ = now_;
  evaluated_ = {};
  ClearBuckets();
  if (!InPass()) {
    std::erase_if(models_, [](const VersionRef& version) { return version.pass > 0; });
    Do(agg_action::BeginTask{task_});
  }
  if (task_.kind == TaskKind::kTrain) Do(agg_action::OpenBucket{{0, Base()}});
  standings_ = {};
  for (Child& child : children_) {
    if (InPass() && child.is_worker()) continue;  // its update is here
    child.standing = Standing::kNotAsked;
    child.failure.clear();
    child.asked.reset();
    child.parts_taken = 0;
    if (!InPass()) {
      child.contributed = {};
      child.contributed_updates = 0;
    }
    if (TaskOf(child).participants.empty()) continue;
    child.standing = Standing::kPending;
    ++standings_.expected;
    if (child.linked != 0) AskChild(child);
  }
  AskPolicy();
}

void BarrierCore::AskChild(Child& child) {
  const Task task = TaskOf(child);
  SendTask(child, task);
  OfferModel(child, Base());
}

void BarrierCore::On(const agg_event::Cancelled& e) {
  if (e.round != task_.round) return;
  SettlePending(e.reason);
  TakeBack(e.reason);
  LetGo();
  if (phase_ != Phase::kIdle) Enter(Phase::kIdle);
}

void BarrierCore::On(const agg_event::Committed& e) {
  if (phase_ == Phase::kIdle && e.round >= task_.round) {
    LetGo();
    for (Child& child : children_) child.standing = Standing::kNotAsked;  // it counts for good
  }
  for (const Child& child : children_) {
    if (child.linked != 0) {
      Do(agg_action::SendCommitted{child.view.id, CommittedFrame{e.round, e.version}});
    }
  }
}

// ---- contributions ----

absl::Status BarrierCore::CheckUpload(const Child& child, const UploadInfo& info) const {
  const Task task = TaskOf(child);
  if (phase_ != Phase::kCollecting || task_.kind != TaskKind::kTrain || info.round != task.round ||
      info.local_round != task.local_round) {
    return absl::FailedPreconditionError("round " + std::to_string(info.round) + " is closed at '" +
                                         config_.view.id + "'");
  }
  SKEIN_RETURN_IF_ERROR(CheckForm(child, info, task, task.base));
  if (InPass() && info.roster != task.participants) {
    return absl::InvalidArgumentError("it answers for " + info.roster.ToString() +
                                      " and was asked for " + task.participants.ToString());
  }
  if (AggregatorCore::IsCounted(info.base, info.roster)) {
    return absl::AlreadyExistsError("its roster meets one that was accepted");
  }
  return absl::OkStatus();
}

bool BarrierCore::BeforeGrant(const UploadInfo& info) {
  if (info.base != Base()) Do(agg_action::OpenBucket{{0, info.base}});
  return true;
}

void BarrierCore::OnAccepted(Child& child, const UploadInfo& info) {
  if (++child.parts_taken >= info.parts) Accept(child);
  Count(info);
  if (!InPass()) {
    child.contributed.Merge(info.roster);
    child.contributed_updates += info.updates;
    TakeReports(child, info);
    ReportAccepted(child, info, {});
  }
  AskPolicy();
}

void BarrierCore::TakeReports(const Child& child, const UploadInfo& info) {
  if (!task_.wants_reports) return;
  for (WorkerReport report : info.reports) {
    if (!info.roster.Contains(report.leaf)) continue;  // nothing that it may speak for
    if (child.is_worker()) report.seconds = TaskSeconds(child).value_or(0);
    reports_[report.leaf] = report;
  }
}

void BarrierCore::OnRefused(Child& child, const UploadInfo&, const std::string& reason) {
  OnFailed(child, reason, event::kUpdateRejected);
}

void BarrierCore::OnLost(Child& child, const std::string& reason) {
  if (child.standing == Standing::kPending) OnFailed(child, reason, event::kWorkerLeftOut);
}

void BarrierCore::OnFailed(Child& child, const std::string& reason, const char* event_type) {
  if (phase_ != Phase::kCollecting) return;
  Fail(child, reason, event_type);
  AskPolicy();
}

bool BarrierCore::IsAwaited(const NodeId& child, uint64_t round, const VersionRef& version) const {
  const Child* asked = Find(child);
  return asked != nullptr && phase_ == Phase::kCollecting && task_.kind == TaskKind::kEvaluate &&
         round == task_.round && version == task_.base && asked->standing == Standing::kPending;
}

void BarrierCore::On(const agg_event::ChildEvaluated& e) {
  Child* child = Find(e.child);
  if (!IsAwaited(e.child, e.round, e.version)) return;
  Accept(*child);
  evaluated_.Merge(e.roster);
  AskPolicy();
}

void BarrierCore::Accept(Child& child) {
  child.standing = Standing::kAccepted;
  ++standings_.accepted;
}

void BarrierCore::Fail(Child& child, const std::string& reason, const char* event_type) {
  if (child.standing != Standing::kPending) return;
  child.standing = Standing::kFailed;
  ++standings_.failed;
  child.failure = reason;
  ReportFailed(event_type, child, reason);
}

// ---- closing ----

void BarrierCore::OnTime() {
  if (phase_ == Phase::kCollecting) AskPolicy();
}

void BarrierCore::AskPolicy() {
  if (phase_ != Phase::kCollecting) return;
  if (InPass()) return AwaitAnswers();
  standings_.base_version = standings_.current_version = task_.base.version;
  AggregatorCore::AskPolicy(standings_, opened_);
}

// All of them answer or fail. Who sends has the time that a transfer takes.
void BarrierCore::AwaitAnswers() {
  const Duration patience = config_.policy->Patience().value_or(Duration::max());
  const bool over = now_ - opened_ >= patience;
  for (Child& child : children_) {
    if (!over || child.standing != Standing::kPending || child.upload) continue;
    Fail(child, "it did not answer in pass " + std::to_string(pass_), event::kWorkerLeftOut);
  }
  if (standings_.pending() == 0) return Close("");
  AskAgainAt(over || patience == Duration::max() ? Time::max() : opened_ + patience);
}

void BarrierCore::Close(const std::string& reason) {
  SettlePending(reason.empty() ? "the round closed without it" : "too late: " + reason);
  if (task_.kind == TaskKind::kEvaluate) {
    Enter(Phase::kDelivering);
    Do(agg_action::DeliverEvaluation{task_, evaluated_});
    return;
  }
  if (InPass()) {
    const bool anew = standings_.failed > 0;
    if (anew && !LeaveOut()) return;
    ClearBuckets();
    agg_action::CloseFold again = *contributions_;
    again.task = task_;
    if (!config_.leads_passes) again.reports.clear();  // they went up with the contributions
    again.begins_anew = anew;
    again.asked = Base();
    again.next_question = BaseOf(pass_ + 1);
    Enter(Phase::kDelivering);
    Do(std::move(again));
    return;
  }
  agg_action::CloseFold close = TakeBuckets(task_, LocalBase(local_));
  close.asked = Base();
  close.next_question = BaseOf(1);
  using Into = agg_action::CloseFold::Into;
  if (IsRoot()) {
    close.into = Into::kVersion;
    close.made = VersionRef{task_.base.version + 1, task_.attempt, 0};
  } else if (local_ + 1 < config_.kappa) {
    close.into = Into::kLocalModel;
    close.made = LocalBase(local_ + 1);
  } else {
    const bool delta = config_.kappa > 1 || config_.reports_as_one;
    close.into = delta ? Into::kLocalDelta : Into::kPartial;
  }
  if (close.into != Into::kLocalModel) {
    for (const auto& [leaf, report] : reports_) close.reports.push_back(report);
    reports_.clear();
  }
  if (config_.leads_passes || config_.answers_passes) {
    contributions_ = close;
    counted_ = standings_;
    contributed_ = opened_;
  }
  Enter(Phase::kDelivering);
  Do(std::move(close));
}

bool BarrierCore::LeaveOut() {
  agg_action::CloseFold& left = *contributions_;
  for (Child& child : children_) {
    if (child.standing != Standing::kFailed || child.contributed.empty()) continue;
    left.roster = left.roster.Minus(child.contributed);
    agg_action::Bucket& bucket = left.buckets.front();
    bucket.roster = left.roster;
    bucket.updates -= child.contributed_updates;
    bucket.lots.front() = {bucket.lots.front().number, bucket.roster, bucket.updates};
    child.contributed = {};
    child.counted.reset();
    TellCancelled(child, child.failure);
    --counted_.accepted;
    ++counted_.failed;
  }
  const std::string reason = "pass " + std::to_string(pass_) + " has no answer";
  if (!config_.leads_passes) {
    GiveUp(reason);
    return false;
  }
  std::erase_if(left.reports,
                [&](const WorkerReport& report) { return !left.roster.Contains(report.leaf); });
  counted_.elapsed = now_ - contributed_;
  const PolicyDecision decision = config_.policy->Decide(counted_);
  const bool enough = decision.verdict == PolicyDecision::Verdict::kClose && !left.roster.empty();
  if (!enough) GiveUp(decision.reason.empty() ? reason : reason + ": " + decision.reason);
  return enough;
}

void BarrierCore::On(const agg_event::LocalModelMade& e) {
  const bool next = phase_ == Phase::kDelivering && e.version == LocalBase(local_ + 1);
  if (next) {
    ++local_;
    LetGo();
  }
  On(agg_event::ModelArrived{e.version});
  if (next) StartCollecting();
}

void BarrierCore::On(const agg_event::PassBegun& e) {
  if (phase_ != Phase::kDelivering || !contributions_ || e.question != BaseOf(pass_ + 1)) return;
  ++pass_;
  On(agg_event::ModelArrived{e.question});
  StartCollecting();
}

void BarrierCore::On(const agg_event::Delivered&) {
  if (phase_ == Phase::kDelivering) Enter(Phase::kIdle);
}

void BarrierCore::GiveUp(const std::string& reason) {
  const std::string failures = Failures();
  SettlePending(reason);
  TakeBack(reason);
  LetGo();
  Enter(Phase::kIdle);
  given_up_ = "'" + config_.view.id + "': " + reason + (failures.empty() ? "" : "; " + failures);
  Do(agg_action::Abandon{task_, *given_up_});
}

std::string BarrierCore::Failures() const {
  std::string text;
  size_t named = 0;
  size_t failed = 0;
  auto add = [&](const Child& child, const std::string& what) {
    if (++failed > kFailuresNamed) return;
    ++named;
    text += (text.empty() ? "" : ", ") + ("'" + child.view.id + "' " + what);
  };
  for (const Child& child : children_) {
    if (child.standing == Standing::kFailed) add(child, "failed (" + child.failure + ")");
  }
  for (const Child& child : children_) {
    if (child.standing == Standing::kPending) {
      add(child, child.linked != 0 ? "has not answered" : "is not connected");
    }
  }
  if (failed > named) text += ", and " + std::to_string(failed - named) + " more";
  return text;
}

void BarrierCore::SettlePending(const std::string& reason) {
  for (Child& child : children_) {
    if (child.standing != Standing::kPending) continue;
    const CancelFrame cancel{task_.round, TaskOf(child).local_round, reason};
    if (child.upload) DropUpload(*child.upload, absl::AbortedError(reason));
    if (child.linked != 0) Do(agg_action::SendCancel{child.view.id, cancel});
    Fail(child, reason, event::kWorkerLeftOut);
  }
}

void BarrierCore::TakeBack(const std::string& reason) {
  if (task_.kind != TaskKind::kTrain) return;
  for (Child& child : children_) {
    child.counted.reset();
    if (child.standing != Standing::kAccepted) continue;
    child.standing = Standing::kNotAsked;
    TellCancelled(child, reason);
  }
}

void BarrierCore::TellCancelled(Child& child, const std::string& reason) {
  const CancelFrame cancel{task_.round, TaskOf(child).local_round, reason};
  if (child.linked != 0) {
    Do(agg_action::SendCancel{child.view.id, cancel});
  } else {
    child.owed = cancel;
  }
}

void BarrierCore::Enter(Phase to) { phase_ = Declared(Transitions(), phase_, to); }

}  // namespace skein
