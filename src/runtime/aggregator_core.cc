#include "runtime/aggregator_core.h"

#include <algorithm>
#include <utility>

#include "runtime/transitions.h"
#include "skein/base/status.h"

namespace skein {
namespace {

using Phase = AggregatorCore::Phase;

constexpr AggregatorCore::Transition kTransitions[] = {
    {Phase::kIdle, Phase::kAwaitingModel, "a task came before its model"},
    {Phase::kIdle, Phase::kCollecting, "a task came and its model is here"},
    {Phase::kAwaitingModel, Phase::kCollecting, "the model came"},
    {Phase::kAwaitingModel, Phase::kIdle, "cancelled, or superseded by a newer task"},
    {Phase::kCollecting, Phase::kDelivering, "the policy closed the aggregation"},
    {Phase::kCollecting, Phase::kIdle, "the policy gave up, cancelled, or superseded"},
    {Phase::kDelivering, Phase::kCollecting, "the next local round begins"},
    {Phase::kDelivering, Phase::kIdle, "the result has arrived above, cancelled, or superseded"},
};

constexpr size_t kModelsKept = 1;  // what the next task begins with
constexpr size_t kFailuresNamed = 3;

bool IsWorker(const NodeView::Child& child) { return child.role == NodeRole::kWorker; }

}  // namespace

std::span<const AggregatorCore::Transition> AggregatorCore::Transitions() { return kTransitions; }

AggregatorCore::AggregatorCore(AggregatorCoreConfig config) : config_(std::move(config)) {
  for (const NodeView::Child& view : config_.view.children) {
    index_[view.id] = children_.size();
    children_.push_back({.view = view});
  }
}

std::vector<AggregatorAction> AggregatorCore::Handle(const AggregatorEvent& event, Time now) {
  now_ = now;
  actions_.clear();
  std::visit([this](const auto& e) { On(e); }, event);
  GrantWaiting();  // whatever happened may have given credit back
  SetWake();
  return std::move(actions_);
}

// ---- membership ----

void AggregatorCore::On(const agg_event::ChildExpected& e) {
  Child* child = Find(e.child);
  if (child == nullptr || e.epoch <= child->expected || e.epoch <= child->lost) return;
  child->expected = e.epoch;
  if (child->linked != 0) {
    const Epoch old = child->linked;
    On(agg_event::ChildDown{e.child, old});
    RefuseVoid(*child, old);
  }
  if (child->waiting == e.epoch) {
    Link(*child, e.epoch);
  } else if (child->waiting != 0 && child->waiting < e.epoch) {
    RefuseVoid(*child, std::exchange(child->waiting, 0));
  }
}

void AggregatorCore::On(const agg_event::ChildUp& e) {
  Child* child = Find(e.child);
  if (child == nullptr) {
    Do(agg_action::Refuse{
        e.child, e.epoch,
        absl::NotFoundError("'" + e.child + "' is no child of '" + config_.view.id + "'")});
  } else if (e.epoch <= child->lost || e.epoch < child->expected) {
    RefuseVoid(*child, e.epoch);
  } else if (e.epoch == child->expected) {
    Link(*child, e.epoch);
  } else if (e.epoch < child->waiting) {
    RefuseVoid(*child, e.epoch);
  } else {
    // The control plane's word is on its way. A child uses its newest attachment only.
    const Epoch older = std::exchange(child->waiting, e.epoch);
    if (older != 0 && older != e.epoch) RefuseVoid(*child, older);
  }
}

void AggregatorCore::RefuseVoid(const Child& child, Epoch epoch) {
  const Epoch last = std::max({child.expected, child.waiting, child.lost});
  Do(agg_action::Refuse{child.view.id, epoch,
                        absl::FailedPreconditionError(
                            "attachment " + std::to_string(epoch) + " of '" + child.view.id +
                            "' is void, the last one is " + std::to_string(last))});
}

void AggregatorCore::Link(Child& child, Epoch epoch) {
  if (child.linked != 0) On(agg_event::ChildDown{child.view.id, child.linked});
  if (child.waiting == epoch) child.waiting = 0;  // a newer one waits on for its announcement
  child.linked = epoch;
  child.offered.reset();
  Do(agg_action::Welcome{child.view.id, epoch});
  // A child that lost its link in the middle of a task hears of it again, and sends what it has.
  if (phase_ == Phase::kCollecting && child.standing == Standing::kPending) AskChild(child);
}

void AggregatorCore::On(const agg_event::ChildDown& e) {
  Child* child = Find(e.child);
  if (child == nullptr) return;
  if (child->waiting == e.epoch) child->waiting = 0;
  if (child->linked != e.epoch) return;
  child->linked = 0;
  child->offered.reset();
  if (child->upload) DropUpload(*child->upload, absl::UnavailableError("the link broke"));
  // It stays pending: it may come back under the same attachment, until the policy loses patience
  // or the control plane says that it is lost.
}

void AggregatorCore::On(const agg_event::ChildLost& e) {
  Child* child = Find(e.child);
  if (child == nullptr || e.epoch < child->expected) return;
  child->lost = std::max(child->lost, e.epoch);
  if (child->waiting != 0 && child->waiting <= e.epoch) {
    Do(agg_action::Refuse{e.child, std::exchange(child->waiting, 0),
                          absl::UnavailableError("lost: " + e.reason)});
  }
  if (child->linked != 0) {
    Do(agg_action::Refuse{e.child, child->linked, absl::UnavailableError("lost: " + e.reason)});
    On(agg_event::ChildDown{e.child, child->linked});
  }
  if (phase_ == Phase::kCollecting && child->standing == Standing::kPending) {
    Fail(*child, "lost: " + e.reason, event::kWorkerLeftOut);
    AskPolicy();
  }
}

// ---- tasks ----

void AggregatorCore::On(const agg_event::TaskArrived& e) {
  if (phase_ != Phase::kIdle) {
    if (IsSameTask(e.task, task_)) return;  // heard again after a reconnection
    SettlePending("round " + std::to_string(task_.round) + " was superseded");
    Enter(Phase::kIdle);
  } else if (given_up_ && IsSameTask(e.task, task_)) {
    // The parent has not heard of it. Another try would make other models under the same names.
    Do(agg_action::Abandon{task_, *given_up_});
    return;
  }
  given_up_.reset();
  task_ = e.task;
  local_ = 0;
  if (std::find(models_.begin(), models_.end(), task_.base) == models_.end()) {
    Enter(Phase::kAwaitingModel);
    return;
  }
  StartCollecting();
}

void AggregatorCore::On(const agg_event::ModelArrived& e) {
  std::erase(models_, e.version);
  models_.push_back(e.version);
  // The open task's base outlives its local models: their difference to it is the result.
  for (auto it = models_.begin(); models_.size() > kModelsKept && *it != e.version;) {
    const bool needed = phase_ != Phase::kIdle && (*it == task_.base || *it == LocalBase());
    it = needed ? it + 1 : models_.erase(it);
  }
  if (phase_ == Phase::kAwaitingModel && e.version == task_.base) StartCollecting();
  if (phase_ != Phase::kCollecting) return;
  // It came again: children that were left with half of it get it anew.
  for (Child& child : children_) {
    if (child.standing == Standing::kPending && child.linked != 0) OfferBase(child);
  }
}

void AggregatorCore::On(const agg_event::ModelLost& e) {
  std::erase(models_, e.version);
  for (Child& child : children_) {
    if (child.offered == e.version) child.offered.reset();
  }
}

uint32_t AggregatorCore::Share() const {
  return task_.kind == TaskKind::kTrain ? std::max(1u, task_.seq_count / config_.kappa)
                                        : task_.seq_count;
}

VersionRef AggregatorCore::LocalBase() const {
  VersionRef base = task_.base;
  if (local_ > 0) base.local_round = task_.local_round + local_ * Share();
  return base;
}

Task AggregatorCore::ChildTask(const Child& child) const {
  Task task = task_;
  task.local_round = task_.local_round + local_ * Share();
  task.seq_first = task_.seq_first + local_ * Share();
  task.seq_count = Share();
  task.base = LocalBase();
  task.participants =
      task_.participants.Intersection(Roster::Range(child.view.leaf_begin, child.view.leaf_end));
  return task;
}

void AggregatorCore::StartCollecting() {
  Enter(Phase::kCollecting);
  opened_ = now_;
  roster_ = {};
  Do(agg_action::BeginFold{task_, LocalBase()});
  for (Child& child : children_) {
    child.standing = Standing::kNotAsked;
    child.failure.clear();
    if (ChildTask(child).participants.empty()) continue;
    child.standing = Standing::kPending;
    if (child.linked != 0) AskChild(child);
  }
  AskPolicy();
}

void AggregatorCore::AskChild(Child& child) {
  const Task task = ChildTask(child);
  Do(agg_action::SendTask{child.view.id, task});
  OfferBase(child);
}

void AggregatorCore::OfferBase(Child& child) {
  const VersionRef base = LocalBase();
  if (child.offered == base || std::find(models_.begin(), models_.end(), base) == models_.end()) {
    return;
  }
  Do(agg_action::OfferModel{child.view.id, base});
  child.offered = base;
}

void AggregatorCore::On(const agg_event::Cancelled& e) {
  if (phase_ == Phase::kIdle || e.round != task_.round) return;
  SettlePending(e.reason);
  Enter(Phase::kIdle);
}

void AggregatorCore::On(const agg_event::Committed& e) {
  for (const Child& child : children_) {
    if (child.linked != 0) {
      Do(agg_action::SendCommitted{child.view.id, CommittedFrame{e.round, e.version}});
    }
  }
}

// ---- uploads ----

absl::Status AggregatorCore::CheckUpload(const Child& child, const UploadInfo& info) const {
  const Task task = ChildTask(child);
  if (phase_ != Phase::kCollecting || task_.kind != TaskKind::kTrain || info.round != task.round ||
      info.local_round != task.local_round) {
    return absl::FailedPreconditionError("round " + std::to_string(info.round) + " is closed at '" +
                                         config_.view.id + "'");
  }
  if (info.kind != (IsWorker(child.view) ? TransferKind::kUpdate : TransferKind::kPartial)) {
    return absl::InvalidArgumentError("a worker sends updates and an aggregator partials");
  }
  if (IsWorker(child.view) && info.seq < task.seq_first) {
    return absl::FailedPreconditionError("it belongs to an earlier attempt at round " +
                                         std::to_string(info.round));
  }
  if (info.base != task.base) {
    return absl::InvalidArgumentError("it refers to " + ToString(info.base) + ", the task to " +
                                      ToString(task.base));
  }
  if (IsWorker(child.view) && info.seq != task.seq_first) {
    return absl::InvalidArgumentError("its sequence number is " + std::to_string(info.seq) +
                                      ", the task's " + std::to_string(task.seq_first));
  }
  if (info.roster.empty() || !info.roster.IsSubsetOf(task.participants)) {
    return absl::InvalidArgumentError("its roster " + info.roster.ToString() +
                                      " is not within the task's " + task.participants.ToString());
  }
  if (info.roster.Intersects(roster_)) {
    return absl::AlreadyExistsError("its roster meets one that was accepted");
  }
  return info.form;
}

// Whether it is what the child has contributed to the open result.
bool AggregatorCore::IsCounted(const Child& child, const UploadInfo& info) const {
  const bool open = phase_ == Phase::kCollecting || phase_ == Phase::kDelivering;
  const Task task = ChildTask(child);
  return open && task.kind == TaskKind::kTrain && child.standing == Standing::kAccepted &&
         info.round == task.round && info.local_round == task.local_round &&
         (!IsWorker(child.view) || info.seq == task.seq_first);
}

void AggregatorCore::On(const agg_event::UploadOffered& e) {
  const UploadId& id = e.info.id;
  Child* child = Find(id.child);
  if (child == nullptr || child->linked != id.epoch || child->linked == 0) {
    Do(agg_action::Acknowledge{id, absl::FailedPreconditionError("the attachment is void")});
    return;
  }
  if (IsCounted(*child, e.info)) {
    // The acknowledgment was lost on the way; it counts once all the same.
    Do(agg_action::Acknowledge{id, absl::OkStatus()});
    return;
  }
  absl::Status status = CheckUpload(*child, e.info);
  if (status.ok() && child->standing != Standing::kPending) {
    status = absl::FailedPreconditionError("not waited for any more");
  }
  // Late or stray uploads change nothing; a bad one for this task is the child's failure.
  const bool stray = absl::IsFailedPrecondition(status);
  if (child->upload && !stray) {
    DropUpload(*child->upload, absl::AbortedError("offered again"));
  }
  if (!status.ok()) {
    Do(agg_action::Acknowledge{id, status});
    if (!stray && child->standing == Standing::kPending) {
      Fail(*child, Message(status), event::kUpdateRejected);
      AskPolicy();
    }
    return;
  }
  child->upload = id;
  uploads_[id] = {.info = e.info};
  queue_.push_back(id);
}

void AggregatorCore::GrantWaiting() {
  while (!queue_.empty()) {
    Upload& upload = uploads_.at(queue_.front());
    if (staged_bytes_ > 0 && staged_bytes_ + upload.info.bytes > config_.staging_bytes) return;
    staged_bytes_ += upload.info.bytes;
    upload.granted = true;
    upload.last_progress = now_;
    Do(agg_action::Grant{upload.info.id});
    stalls_at_ = std::min(stalls_at_, now_ + config_.upload_stall_timeout);
    queue_.pop_front();
  }
}

void AggregatorCore::On(const agg_event::UploadProgressed& e) {
  auto it = uploads_.find(e.id);
  if (it != uploads_.end()) it->second.last_progress = now_;
}

void AggregatorCore::On(const agg_event::UploadStaged& e) {
  auto it = uploads_.find(e.id);
  if (it != uploads_.end()) Do(agg_action::Fold{it->second.info});
}

void AggregatorCore::On(const agg_event::UploadFolded& e) {
  auto it = uploads_.find(e.id);
  if (it == uploads_.end()) return;
  const UploadInfo info = it->second.info;
  Child& child = *Find(e.id.child);
  DropUpload(e.id, e.status);
  if (!e.status.ok()) {
    Fail(child, Message(e.status), event::kUpdateRejected);
  } else {
    child.standing = Standing::kAccepted;
    roster_.Merge(info.roster);
    if (IsWorker(child.view)) {
      ReportChild(event::kUpdateAccepted, child,
                  {{"samples", info.num_samples}, {"seq", info.seq}});
    } else {
      ReportChild(event::kPartialAccepted, child,
                  {{"roster", info.roster.ToString()}, {"updates", info.roster.Count()}});
    }
  }
  AskPolicy();
}

void AggregatorCore::On(const agg_event::UploadBroken& e) {
  auto it = uploads_.find(e.id);
  if (it == uploads_.end()) return;
  Child& child = *Find(e.id.child);
  DropUpload(e.id, absl::DataLossError(e.reason));
  Fail(child, e.reason, event::kUpdateRejected);
  AskPolicy();
}

// Forgets an upload, gives its credit back and tells the child.
void AggregatorCore::DropUpload(const UploadId& id, const absl::Status& status) {
  auto it = uploads_.find(id);
  if (it == uploads_.end()) return;
  if (it->second.granted) {
    staged_bytes_ -= it->second.info.bytes;
  } else {
    std::erase(queue_, id);
  }
  uploads_.erase(it);
  Find(id.child)->upload.reset();
  Do(agg_action::Acknowledge{id, status});
}

void AggregatorCore::CheckStalls() {
  std::vector<UploadId> stalled;
  stalls_at_ = Time::max();
  for (const auto& [id, upload] : uploads_) {
    if (!upload.granted) continue;
    const Time due = upload.last_progress + config_.upload_stall_timeout;
    if (due <= now_) {
      stalled.push_back(id);
    } else {
      stalls_at_ = std::min(stalls_at_, due);
    }
  }
  for (const UploadId& id : stalled) {
    const std::string reason =
        "its upload made no progress for " +
        std::to_string(static_cast<int64_t>(ToSeconds(config_.upload_stall_timeout))) + " s";
    DropUpload(id, absl::DeadlineExceededError(reason));
    Fail(*Find(id.child), reason, event::kWorkerLeftOut);
  }
}

// ---- evaluation and failures of children ----

bool AggregatorCore::IsAwaited(const NodeId& child, uint64_t round,
                               const VersionRef& version) const {
  auto it = index_.find(child);
  return it != index_.end() && phase_ == Phase::kCollecting && task_.kind == TaskKind::kEvaluate &&
         round == task_.round && version == task_.base &&
         children_[it->second].standing == Standing::kPending;
}

void AggregatorCore::On(const agg_event::ChildEvaluated& e) {
  Child* child = Find(e.child);
  if (!IsAwaited(e.child, e.round, e.version)) return;
  child->standing = Standing::kAccepted;
  roster_.Merge(e.roster);
  AskPolicy();
}

void AggregatorCore::On(const agg_event::ChildFailed& e) {
  Child* child = Find(e.child);
  if (child == nullptr || phase_ != Phase::kCollecting || child->standing != Standing::kPending ||
      e.what.kind != task_.kind || e.what.round != task_.round ||
      e.what.local_round != ChildTask(*child).local_round) {
    return;
  }
  if (child->upload) DropUpload(*child->upload, absl::AbortedError("the child gave up"));
  Fail(*child, e.what.reason, e.what.bad_update ? event::kUpdateRejected : event::kWorkerLeftOut);
  AskPolicy();
}

void AggregatorCore::Fail(Child& child, const std::string& reason, const char* event_type) {
  if (child.standing != Standing::kPending) return;
  child.standing = Standing::kFailed;
  child.failure = reason;
  ValueMap fields = {{"reason", reason}};
  if (!IsWorker(child.view)) fields["roster"] = ChildTask(child).participants.ToString();
  ReportChild(event_type, child, std::move(fields));
}

void AggregatorCore::ReportChild(const char* type, const Child& child, ValueMap fields) {
  fields["parent"] = config_.view.id;
  if (task_.kind == TaskKind::kEvaluate) fields["task"] = "evaluate";
  Do(agg_action::Report{Event{0, type, task_.round, child.view.id, std::move(fields)}});
}

// ---- closing ----

void AggregatorCore::On(const agg_event::Tick&) {
  CheckStalls();
  if (phase_ == Phase::kCollecting) AskPolicy();
}

void AggregatorCore::AskPolicy() {
  if (phase_ != Phase::kCollecting) return;
  policy_asks_at_ = Time::max();
  PolicyView view;
  view.elapsed = now_ - opened_;
  view.base_version = view.current_version = task_.base.version;
  for (const Child& child : children_) {
    view.expected += child.standing != Standing::kNotAsked;
    view.accepted += child.standing == Standing::kAccepted;
    view.failed += child.standing == Standing::kFailed;
  }
  const PolicyDecision decision = config_.policy->Decide(view);
  switch (decision.verdict) {
    case PolicyDecision::Verdict::kWait:
      if (decision.ask_again != Duration::max()) {
        policy_asks_at_ = opened_ + decision.ask_again;
      }
      break;
    case PolicyDecision::Verdict::kClose:
      Close(decision.reason);
      break;
    case PolicyDecision::Verdict::kFail:
      GiveUp(decision.reason);
      break;
  }
}

void AggregatorCore::Close(const std::string& reason) {
  SettlePending(reason.empty() ? "the round closed without it" : "too late: " + reason);
  if (task_.kind == TaskKind::kEvaluate) {
    Enter(Phase::kDelivering);
    Do(agg_action::DeliverEvaluation{task_, roster_});
    return;
  }
  agg_action::CloseFold close{.task = task_, .base = LocalBase(), .roster = roster_};
  using Into = agg_action::CloseFold::Into;
  if (IsRoot()) {
    close.into = Into::kVersion;
    close.made = VersionRef{task_.base.version + 1, task_.attempt, 0};
  } else if (local_ + 1 < config_.kappa) {
    close.into = Into::kLocalModel;
    ++local_;
    close.made = LocalBase();
  } else {
    close.into = config_.kappa > 1 ? Into::kLocalDelta : Into::kPartial;
  }
  Enter(Phase::kDelivering);
  Do(std::move(close));
}

void AggregatorCore::On(const agg_event::LocalModelMade& e) {
  On(agg_event::ModelArrived{e.version});
  if (phase_ == Phase::kDelivering && e.version == LocalBase()) StartCollecting();
}

void AggregatorCore::On(const agg_event::Delivered&) {
  if (phase_ == Phase::kDelivering) Enter(Phase::kIdle);
}

void AggregatorCore::GiveUp(const std::string& reason) {
  const std::string failures = Failures();
  SettlePending(reason);
  Enter(Phase::kIdle);
  given_up_ = "'" + config_.view.id + "': " + reason + (failures.empty() ? "" : "; " + failures);
  Do(agg_action::Abandon{task_, *given_up_});
}

// Asks for a wake-up unless one is due in time. Each brings a Tick, so one for every event would
// multiply them.
void AggregatorCore::SetWake() {
  wakes_.erase(wakes_.begin(), wakes_.upper_bound(now_));  // their ticks come or have come
  Time next = stalls_at_;
  if (phase_ == Phase::kCollecting) next = std::min(next, policy_asks_at_);
  if (next <= now_ || next == Time::max()) return;
  if (!wakes_.empty() && *wakes_.begin() <= next) return;
  wakes_.insert(next);
  Do(agg_action::WakeAt{next});
}

std::string AggregatorCore::Failures() const {
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

void AggregatorCore::SettlePending(const std::string& reason) {
  for (Child& child : children_) {
    if (child.standing != Standing::kPending) continue;
    const CancelFrame cancel{task_.round, ChildTask(child).local_round, reason};
    if (child.upload) DropUpload(*child.upload, absl::AbortedError(reason));
    if (child.linked != 0) Do(agg_action::SendCancel{child.view.id, cancel});
    Fail(child, reason, event::kWorkerLeftOut);
  }
}

AggregatorCore::Child* AggregatorCore::Find(const NodeId& id) {
  auto it = index_.find(id);
  return it == index_.end() ? nullptr : &children_[it->second];
}

void AggregatorCore::Enter(Phase to) { phase_ = Declared(Transitions(), phase_, to); }

}  // namespace skein
