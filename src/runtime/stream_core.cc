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
constexpr size_t kBasesOfLots = 16;  // of all lots together

// Of a worker, on average, in one step. More makes a step, whatever the policy says; while none can
// be made the children rest. Half of what the coordinator allows for, since what is on its way
// comes on top.
constexpr uint64_t kUpdatesOfAWorker = kContributionsOfAWorker / 2;

// Children are asked more often than the parent asks, so their tasks have numbers of their own.
// Each life has as many: a child that knew the last one may still hold what it did for that.
constexpr Seq kTasksOfALife = Seq{1} << 24;

}  // namespace

std::span<const StreamCore::Transition> StreamCore::Transitions() { return kTransitions; }

StreamCore::StreamCore(AggregatorCoreConfig config)
    : AggregatorCore(std::move(config)),
      schedule_(config_.policy->NewSchedule(children_.size())),
      work_(children_.size()) {}

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
  if (first || given_up) heard_ = now_;
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
      if (in_vain && schedule_ != nullptr) schedule_->Left(IndexOf(child), now_);
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
  stepped_ = heard_ = now_;
  Enter(Phase::kCollecting);
  AskResting();
  AskPolicy();
}

// What a child has to train from is sent again from here; what is mixed as models is needed until
// then. A child that comes back for one that is gone gets a new task.
void StreamCore::DropOldModels() {
  const std::set<VersionRef> needed = BasesNeeded();
  std::erase_if(models_, [&](const VersionRef& version) { return !needed.contains(version); });
}

// What has been collected, or is about to be, cannot do without its bases. Of the others as many as
// there is room for, the newest first.
std::set<VersionRef> StreamCore::BasesNeeded() const {
  std::set<VersionRef> needed = {*current_};
  if (config_.bases_kept == 0) return needed;
  for (const auto& [key, bucket] : buckets_) needed.insert(key.base);
  std::set<VersionRef> wanted;
  for (const Child& child : children_) {
    if (child.standing == Standing::kPending) {
      (child.upload ? needed : wanted).insert(WorkOf(child).task.base);
    }
  }
  // What a child that is an aggregator collects may refer to some versions before the newest.
  const bool subtrees =
      std::ranges::any_of(children_, [](const Child& c) { return !c.is_worker(); });
  if (subtrees) wanted.insert(models_.begin(), models_.end());
  for (auto it = wanted.rbegin(); it != wanted.rend() && needed.size() < config_.bases_kept; ++it) {
    needed.insert(*it);
  }
  return needed;
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
  if (standing != Standing::kPending) child.asked.reset();
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

// Those that are accepted and not asked again since; others have had another task or have left.
void StreamCore::RestReleased() {
  for (const size_t index : schedule_->TakeReleased()) {
    if (children_[index].standing == Standing::kAccepted) Rest(children_[index]);
  }
}

// More would not fit into a step: sums are bounded by what the coordinator expects of a worker.
bool StreamCore::IsFull() const {
  if (schedule_ != nullptr) return false;
  uint64_t updates = 0;
  for (const auto& [key, bucket] : buckets_) updates += bucket.updates;
  return updates >= kUpdatesOfAWorker * std::max<uint64_t>(1, task_.participants.Count());
}

void StreamCore::AskResting() {
  rest_ends_ = false;
  if (!current_ || phase_ == Phase::kIdle) return;
  if (IsFull()) {
    if (Collecting()) Close("there is no room for another update");
    return;
  }
  std::vector<size_t> ready;
  std::erase_if(resting_, [&](size_t index) {
    const bool linked = children_[index].linked != 0;
    if (linked) ready.push_back(index);
    return linked;
  });
  if (schedule_ == nullptr) {
    for (const size_t index : ready) Ask(children_[index], task_.steps);
    return;
  }
  for (const auto& [index, steps] : schedule_->Assign(ready, now_)) {
    Ask(children_[index], steps != 0 ? steps : task_.steps);
  }
}

void StreamCore::Ask(Child& child, uint32_t steps) {
  Work& work = WorkOf(child);
  work.counted = false;
  work.task = task_;
  work.task.steps = steps;
  work.task.round = current_->version + 1;
  work.task.local_round = 0;
  work.task.base = *current_;
  work.task.seq_first = work.next_seq;
  work.task.participants = Within(child, task_.participants);
  work.next_seq += std::max(1u, task_.seq_count);
  child.parts_taken = 0;
  child.failure.clear();
  SetStanding(child, Standing::kPending);
  SendTask(child, work.task);
  OfferModel(child, work.task.base);
}

void StreamCore::OnLinked(Child& child) {
  if (!Working() || child.standing == Standing::kNotAsked) return;
  // A child that lost its link in the middle of a task hears of it again, and sends what it has;
  // but it may have come for the model, too.
  const Task& task = WorkOf(child).task;
  if (child.standing != Standing::kPending || !HasModel(task.base)) return Rest(child);
  SendTask(child, task);
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
  if (config_.bases_kept == 0 || HasModel(base)) return absl::OkStatus();
  return absl::OutOfRangeError("the model that it refers to, " + ToString(base) +
                               ", is no longer kept, and is needed to mix models; keep more of "
                               "them than strategy.mixing.keep, " +
                               std::to_string(config_.bases_kept));
}

uint64_t StreamCore::LotOf(const Child& child) const {
  return schedule_ == nullptr ? 0 : schedule_->LotOf(IndexOf(child), now_);
}

bool StreamCore::BeforeGrant(const UploadInfo& info) {
  const BucketKey key = {LotOf(*Find(info.id.child)), info.base};
  if (buckets_.contains(key)) return true;
  const size_t most =
      schedule_ != nullptr ? kBasesOfLots : (IsRoot() ? kBasesAtRoot : kBasesElsewhere);
  if (buckets_.size() >= most) DropUnused();
  const bool full = buckets_.size() >= most;
  const bool counted =
      std::ranges::any_of(buckets_, [](const auto& entry) { return entry.second.updates > 0; });
  if (full && counted && Collecting()) Close("there is no room for another base");
  // A schedule may have no step to make, and waits for this one perhaps.
  if (schedule_ == nullptr && buckets_.size() >= most) return false;
  if (!buckets_.contains(key)) Open(key);
  return true;
}

void StreamCore::Open(const BucketKey& key) {
  buckets_[key].base = key.base;
  Do(agg_action::OpenBucket{key});
}

void StreamCore::DropUnused() {
  const std::set<VersionRef> bases = BasesUnderWay();
  std::erase_if(buckets_, [&](const auto& entry) {
    const bool unused = entry.second.updates == 0 && !bases.contains(entry.first.base);
    if (unused) Do(agg_action::DropBucket{entry.first});
    return unused;
  });
}

// Versions were made since it was offered, and its lot may be another now.
absl::Status StreamCore::BeforeFold(UploadInfo& info) {
  SKEIN_RETURN_IF_ERROR(CheckAge(info.base));
  info.lot = LotOf(*Find(info.id.child));
  const BucketKey key = {info.lot, info.base};
  if (!buckets_.contains(key)) Open(key);
  return absl::OkStatus();
}

void StreamCore::OnAccepted(Child& child, const UploadInfo& info) {
  Count(info);
  heard_ = now_;
  WorkOf(child).counted = true;
  ReportAccepted(child, info, {{"staleness", StalenessOf(info.base, *current_)}});
  if (++child.parts_taken >= info.parts) Answered(child, info.lot);
  AskPolicy();
}

// The child has said all that it has to its task.
void StreamCore::Answered(Child& child, uint64_t lot) {
  if (schedule_ == nullptr) {
    ++accepted_;
    return Rest(child);
  }
  SetStanding(child, Standing::kAccepted);
  schedule_->Contributed(IndexOf(child), lot, now_);
  RestReleased();
}

// One part of an answer may be too old, and the next one good.
void StreamCore::OnRefused(Child& child, const UploadInfo& info, const std::string& reason) {
  if (child.is_worker()) return OnFailed(child, reason, event::kUpdateRejected);
  Report(event::kUpdateRejected, child, WorkOf(child).task.round,
         {{"reason", reason}, {"roster", info.roster.ToString()}});
  if (++child.parts_taken < info.parts) return;
  if (WorkOf(child).counted) {
    Answered(child, LotOf(child));
  } else {
    if (schedule_ != nullptr) schedule_->Left(IndexOf(child), now_);
    Rest(child);
  }
  AskPolicy();
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
  if (schedule_ != nullptr) schedule_->Left(IndexOf(child), now_);
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
  if (schedule_ != nullptr && StepBySchedule()) return;
  Time ask_at = schedule_ != nullptr ? schedule_->NextTime() : Time::max();
  if (const std::optional<Duration> patience = config_.policy->Patience()) {
    if (now_ - heard_ >= *patience) return OnSilence(*patience);
    ask_at = std::min(ask_at, heard_ + *patience);
  }
  PolicyView view;
  view.accepted = accepted_;
  view.failed = static_cast<int>(failed_);
  view.expected = accepted_ + static_cast<int>(pending_ + resting_.size() + failed_);
  view.base_version = task_.base.version;
  view.current_version = current_->version;
  AggregatorCore::AskPolicy(view, stepped_, ask_at);
}

// All that are at work hang, or are too slow: what they did not send is not waited for.
void StreamCore::OnSilence(Duration patience) {
  const std::string reason = "no child has contributed for " + ToJson(Value(ToSeconds(patience))) +
                             " s, the policy's timeout_s";
  Close(reason);
  if (Collecting()) GiveUp(reason);
}

// False: none is due.
bool StreamCore::StepBySchedule() {
  while (auto step = schedule_->TakeStep(now_)) {
    RestReleased();
    MakeStep(step->lots, step->weight);
    if (!Collecting()) return true;
  }
  return false;
}

void StreamCore::Close(const std::string&) {
  if (schedule_ == nullptr) return MakeStep({0}, 1);
  const auto step = schedule_->TakeStepEarly(now_);
  if (!step) return;
  RestReleased();
  MakeStep(step->lots, step->weight);
}

// What comes next, or does not: at the root a version, whatever the round of the plan was.
Task StreamCore::Owed() const {
  Task task = task_;
  if (IsRoot()) task.round = current_->version + 1;
  return task;
}

void StreamCore::MakeStep(const std::vector<uint64_t>& lots, double weight) {
  agg_action::CloseFold close = TakeBuckets(task_, *current_, lots);
  if (close.buckets.empty()) return;  // what was to come was refused
  close.weight = weight;
  close.task = Owed();
  accepted_ = 0;
  stepped_ = now_;
  using Into = agg_action::CloseFold::Into;
  close.into = IsRoot() ? Into::kVersion : Into::kPartial;
  if (IsRoot()) close.made = VersionRef{current_->version + 1, task_.attempt, 0};
  Enter(Phase::kDelivering);
  Do(std::move(close));
  if (!resting_.empty() && !std::exchange(rest_ends_, true)) Do(agg_action::WakeAt{now_});
  if (schedule_ != nullptr) return;  // lots open when something is folded into them
  // What is on its way goes into the next step.
  for (const VersionRef& base : BasesUnderWay()) {
    if (!buckets_.contains({0, base})) Open({0, base});
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
  Do(agg_action::Abandon{Owed(), text});
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
