#include "runtime/stream_core.h"

#include <algorithm>
#include <utility>

#include "runtime/transitions.h"
#include "skein/base/status.h"

namespace skein {
namespace {

using Phase = StreamCore::Phase;

constexpr StreamCore::Transition kTransitions[] = {
    {Phase::kIdle, Phase::kAwaitingModel, "a task came before its model"},
    {Phase::kIdle, Phase::kCollecting, "a task came and a model is here"},
    {Phase::kAwaitingModel, Phase::kCollecting, "the model came"},
    {Phase::kCollecting, Phase::kDelivering, "the policy makes a step"},
    {Phase::kCollecting, Phase::kHolding, "cancelled, or the policy gave up"},
    {Phase::kDelivering, Phase::kCollecting, "the version is made, or the parent asks anew"},
    {Phase::kDelivering, Phase::kHolding, "the step has arrived above, or was cancelled"},
    {Phase::kDelivering, Phase::kIdle, "the last version is made"},
    {Phase::kHolding, Phase::kCollecting, "the parent asks again"},
    {Phase::kCollecting, Phase::kIdle, "at the root: cancelled"},
    {Phase::kHolding, Phase::kIdle, "at the root: cancelled"},
};

// Sums of a model are kept for as many bases at a time, those that something is on its way to among
// them. One more makes a step, whatever the policy says, or waits: what is collected is O(model).
constexpr size_t kBasesAtRoot = 8;
constexpr size_t kBasesElsewhere = 2;

// Children are asked more often than the parent asks, so their tasks have numbers of their own.
// Each life has as many: a child that knew the last one may still hold what it did for that.
constexpr Seq kTasksOfALife = Seq{1} << 24;

}  // namespace

std::span<const StreamCore::Transition> StreamCore::Transitions() { return kTransitions; }

StreamCore::StreamCore(AggregatorCoreConfig config)
    : AggregatorCore(std::move(config)), work_(children_.size()) {}

// ---- tasks ----

void StreamCore::On(const agg_event::TaskArrived& e) {
  // Heard again after a reconnection. If the node has given up, the parent has not heard of that.
  const bool given_up = std::exchange(given_up_, false);
  if (Working() && IsSameTask(e.task, task_) && !given_up) return;
  if (e.task.kind != TaskKind::kTrain) {
    Do(agg_action::Abandon{e.task, "'" + config_.view.id +
                                       "' evaluates nothing: its policy has "
                                       "no barrier"});
    return;
  }
  const bool first = phase_ == Phase::kIdle;
  task_ = e.task;
  last_version_ = e.last_version;
  const Seq first_seq = task_.seq_first + e.life * kTasksOfALife;
  for (Work& work : work_) work.next_seq = std::max(work.next_seq, first_seq);
  if (first) {
    Do(agg_action::BeginTask{task_});
    for (Child& child : children_) {
      Task& asked = WorkOf(child).task;
      asked.round = task_.round;
      asked.participants = Within(child, task_.participants);
      if (asked.participants.empty()) continue;
      if (IsLost(child)) {
        OnFailed(child, "lost before it was asked", event::kWorkerLeftOut);
      } else {
        Rest(child);
      }
    }
  }
  if (!current_) {
    if (first) Enter(Phase::kAwaitingModel);
    return;
  }
  if (first) stepped_ = now_;
  if (phase_ != Phase::kCollecting) Enter(Phase::kCollecting);
  AskPolicy();
}

void StreamCore::On(const agg_event::ModelArrived& e) {
  std::erase(models_, e.version);
  models_.push_back(e.version);
  const bool newer = !current_ || *current_ < e.version;
  if (newer) {
    current_ = e.version;
    // A version that another learner has made of may do for one that has failed, and one that came
    // whole for a child whose own was lost before it was here.
    for (Child& child : children_) {
      const bool failed = child.standing == Standing::kFailed;
      const bool in_vain =
          child.standing == Standing::kPending && !child.upload && LacksModel(child);
      if ((failed || in_vain) && child.linked != 0) Rest(child);
    }
  }
  DropOldModels();
  // It came again: children that were left with half of it get it anew.
  for (Child& child : children_) {
    if (child.standing == Standing::kPending && child.linked != 0 &&
        WorkOf(child).task.base == e.version) {
      OfferModel(child, e.version);
    }
  }
  if (phase_ != Phase::kAwaitingModel) return;
  stepped_ = now_;
  Enter(Phase::kCollecting);
  AskResting();
  AskPolicy();
}

// What a child has to train from is sent again from here; what is mixed as models is needed until
// then. A child that comes back for one that is gone gets a new task.
void StreamCore::DropOldModels() {
  std::set<VersionRef> needed = {*current_};
  if (config_.keeps_bases) {
    for (const Child& child : children_) {
      if (child.standing == Standing::kPending) needed.insert(WorkOf(child).task.base);
    }
    for (const auto& [base, bucket] : buckets_) needed.insert(base);
  }
  // What a child that is an aggregator collects may refer to some versions before the newest.
  const bool subtrees =
      std::ranges::any_of(children_, [](const Child& c) { return !c.is_worker(); });
  if (config_.keeps_bases && subtrees) {
    const size_t kept = std::min(models_.size(), kBasesAtRoot);
    needed.insert(models_.end() - static_cast<ptrdiff_t>(kept), models_.end());
  }
  std::erase_if(models_, [&](const VersionRef& version) { return !needed.contains(version); });
}

void StreamCore::On(const agg_event::Cancelled& e) {
  if (!Working() || e.round != task_.round) return;
  if (IsRoot()) return End(e.reason);
  if (phase_ != Phase::kHolding) Enter(Phase::kHolding);
}

// ---- children ----

void StreamCore::SetStanding(Child& child, Standing standing) {
  pending_ -= child.standing == Standing::kPending;
  failed_ -= child.standing == Standing::kFailed;
  child.standing = standing;
  pending_ += standing == Standing::kPending;
  failed_ += standing == Standing::kFailed;
}

void StreamCore::Rest(Child& child) {
  SetStanding(child, Standing::kAccepted);
  resting_.insert(IndexOf(child));
  if (rest_ends_) return;
  rest_ends_ = true;
  Do(agg_action::WakeAt{now_});
}

void StreamCore::AskResting() {
  rest_ends_ = false;
  if (!current_ || phase_ == Phase::kIdle) return;
  std::set<size_t> waiting;  // for a link
  for (const size_t index : std::exchange(resting_, {})) {
    if (children_[index].linked != 0) {
      Ask(children_[index]);
    } else {
      waiting.insert(index);
    }
  }
  resting_ = std::move(waiting);
}

void StreamCore::Ask(Child& child) {
  Work& work = WorkOf(child);
  work.task = task_;
  work.task.round = current_->version + 1;
  work.task.local_round = 0;
  work.task.base = *current_;
  work.task.seq_first = work.next_seq;
  work.task.participants = Within(child, task_.participants);
  work.next_seq += std::max(1u, task_.seq_count);
  child.parts_taken = 0;
  child.failure.clear();
  SetStanding(child, Standing::kPending);
  Do(agg_action::SendTask{child.view.id, work.task});
  OfferModel(child, work.task.base);
}

void StreamCore::OnLinked(Child& child) {
  if (!Working() || child.standing == Standing::kNotAsked) return;
  // A child that lost its link in the middle of a task hears of it again, and sends what it has;
  // but it may have come for the model, too.
  const Task& task = WorkOf(child).task;
  if (child.standing != Standing::kPending || !HasModel(task.base)) return Rest(child);
  Do(agg_action::SendTask{child.view.id, task});
  OfferModel(child, task.base);
}

// ---- contributions ----

absl::Status StreamCore::CheckUpload(const Child& child, const UploadInfo& info) const {
  if (!Working()) {
    return absl::FailedPreconditionError("'" + config_.view.id + "' collects nothing");
  }
  SKEIN_RETURN_IF_ERROR(CheckForm(child, info, WorkOf(child).task, *current_));
  return CheckAge(info.base);
}

absl::Status StreamCore::CheckAge(const VersionRef& base) const {
  SKEIN_RETURN_IF_ERROR(CheckStaleness(base, *current_));
  if (!config_.keeps_bases || HasModel(base)) return absl::OkStatus();
  return absl::OutOfRangeError(ToString(base) + ", which it refers to, is no longer kept");
}

bool StreamCore::IsCounted(const Child& child, const UploadInfo& info) const {
  const Seq asked = WorkOf(child).task.seq_first;  // 0: nothing yet
  return Working() && asked != 0 && info.seq == asked && info.part < child.parts_taken;
}

bool StreamCore::BeforeGrant(const UploadInfo& info) {
  if (buckets_.contains(info.base)) return true;
  const size_t most = IsRoot() ? kBasesAtRoot : kBasesElsewhere;
  if (buckets_.size() >= most) DropUnused();
  const bool full = buckets_.size() >= most;
  const bool counted =
      std::ranges::any_of(buckets_, [](const auto& entry) { return entry.second.updates > 0; });
  if (full && counted && Collecting()) Close("there is no room for another base");
  if (buckets_.size() >= most) return false;
  if (!buckets_.contains(info.base)) Open(info.base);
  return true;
}

void StreamCore::Open(const VersionRef& base) {
  buckets_[base].base = base;
  Do(agg_action::OpenBucket{base});
}

void StreamCore::DropUnused() {
  const std::set<VersionRef> bases = BasesUnderWay();
  std::erase_if(buckets_, [&](const auto& entry) {
    const bool unused = entry.second.updates == 0 && !bases.contains(entry.first);
    if (unused) Do(agg_action::DropBucket{entry.first});
    return unused;
  });
}

void StreamCore::OnAccepted(Child& child, const UploadInfo& info) {
  Count(info);
  ReportAccepted(child, info, {{"staleness", StalenessOf(info.base, *current_)}});
  if (++child.parts_taken >= info.parts) {
    ++accepted_;
    Rest(child);
  }
  AskPolicy();
}

// One part of an answer may be too old, and the next one good.
void StreamCore::OnRefused(Child& child, const UploadInfo& info, const std::string& reason) {
  if (child.is_worker()) return OnFailed(child, reason, event::kUpdateRejected);
  Report(event::kUpdateRejected, child, WorkOf(child).task.round,
         {{"reason", reason}, {"roster", info.roster.ToString()}});
  if (++child.parts_taken >= info.parts) Rest(child);
}

void StreamCore::OnLost(Child& child, const std::string& reason) {
  const bool works = child.standing == Standing::kPending || child.standing == Standing::kAccepted;
  if (phase_ == Phase::kIdle || !works) return;
  resting_.erase(IndexOf(child));
  OnFailed(child, reason, event::kWorkerLeftOut);
}

// It is asked again from the next version: the same one would come to the same.
void StreamCore::OnFailed(Child& child, const std::string& reason, const char* event_type) {
  child.failure = reason;
  ReportFailed(event_type, child, reason);
  const bool older = current_ && WorkOf(child).task.base < *current_;
  if (older && child.linked != 0) {
    Rest(child);
  } else {
    SetStanding(child, Standing::kFailed);
  }
  AskPolicy();
}

// ---- steps ----

void StreamCore::OnTime() {
  AskResting();
  AskPolicy();
}

void StreamCore::AskPolicy() {
  if (!Collecting()) return;
  PolicyView view;
  view.accepted = accepted_;
  view.failed = static_cast<int>(failed_);
  view.expected = accepted_ + static_cast<int>(pending_ + resting_.size() + failed_);
  view.base_version = task_.base.version;
  view.current_version = current_->version;
  AggregatorCore::AskPolicy(view, stepped_);
}

void StreamCore::Close(const std::string&) {
  agg_action::CloseFold close = TakeBuckets(task_, *current_);
  accepted_ = 0;
  stepped_ = now_;
  using Into = agg_action::CloseFold::Into;
  close.into = IsRoot() ? Into::kVersion : Into::kPartial;
  if (IsRoot()) close.made = VersionRef{current_->version + 1, task_.attempt, 0};
  Enter(Phase::kDelivering);
  Do(std::move(close));
  // What is on its way goes into the next step.
  for (const VersionRef& base : BasesUnderWay()) {
    if (!buckets_.contains(base)) Open(base);
  }
}

void StreamCore::On(const agg_event::Delivered&) {
  if (phase_ != Phase::kDelivering) return;
  if (!IsRoot()) return Enter(Phase::kHolding);
  if (current_->version >= last_version_) return End("the last version is made");
  Enter(Phase::kCollecting);
  AskPolicy();
}

void StreamCore::GiveUp(const std::string& reason) {
  std::string text = "'" + config_.view.id + "': " + reason;
  for (const Child& child : children_) {
    if (child.standing != Standing::kFailed) continue;
    text += "; '" + child.view.id + "' failed (" + child.failure + ")";
    break;
  }
  Enter(Phase::kHolding);
  given_up_ = true;
  Do(agg_action::Abandon{task_, text});
}

void StreamCore::End(const std::string& reason) {
  for (Child& child : children_) {
    if (child.standing == Standing::kPending && child.linked != 0) {
      if (child.upload) DropUpload(*child.upload, absl::AbortedError(reason));
      Do(agg_action::SendCancel{child.view.id, CancelFrame{WorkOf(child).task.round, 0, reason}});
    }
    SetStanding(child, Standing::kNotAsked);
  }
  resting_.clear();
  ClearBuckets();
  Enter(Phase::kIdle);
}

void StreamCore::Enter(Phase to) { phase_ = Declared(Transitions(), phase_, to); }

}  // namespace skein
