#include "runtime/aggregator_core.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "skein/base/status.h"

namespace skein {

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

AggregatorCore::Child* AggregatorCore::Find(const NodeId& id) {
  auto it = index_.find(id);
  return it == index_.end() ? nullptr : &children_[it->second];
}

const AggregatorCore::Child* AggregatorCore::Find(const NodeId& id) const {
  auto it = index_.find(id);
  return it == index_.end() ? nullptr : &children_[it->second];
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
  OnLinked(child);
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
  OnLost(*child, "lost: " + e.reason);
}

// ---- models ----

bool AggregatorCore::HasModel(const VersionRef& version) const {
  return std::find(models_.begin(), models_.end(), version) != models_.end();
}

void AggregatorCore::OfferModel(Child& child, const VersionRef& version) {
  if (child.offered == version || !HasModel(version)) return;
  Do(agg_action::OfferModel{child.view.id, version});
  child.offered = version;
}

void AggregatorCore::SendTask(Child& child, const Task& task) {
  if (!child.asked) child.asked = now_;
  Do(agg_action::SendTask{child.view.id, task});
}

void AggregatorCore::On(const agg_event::ModelLost& e) {
  std::erase(models_, e.version);
  for (Child& child : children_) {
    if (child.offered == e.version) child.offered.reset();
  }
}

// ---- uploads ----

absl::Status AggregatorCore::CheckForm(const Child& child, const UploadInfo& info, const Task& task,
                                       const VersionRef& newest) const {
  if (info.kind != (child.is_worker() ? TransferKind::kUpdate : TransferKind::kPartial)) {
    return absl::InvalidArgumentError("a worker sends updates and an aggregator partials");
  }
  if (info.seq < task.seq_first) {
    return absl::FailedPreconditionError("it belongs to an earlier attempt at round " +
                                         std::to_string(info.round));
  }
  // What an aggregator has collected since its last task may refer to older versions.
  const bool older = !child.is_worker() && info.base.version < newest.version;
  if (info.base != task.base && !older) {
    return absl::InvalidArgumentError("it refers to " + ToString(info.base) + ", the task to " +
                                      ToString(task.base));
  }
  SKEIN_RETURN_IF_ERROR(CheckStaleness(info.base, newest));
  if (info.seq != task.seq_first) {
    return absl::InvalidArgumentError("its sequence number is " + std::to_string(info.seq) +
                                      ", the task's " + std::to_string(task.seq_first));
  }
  if (info.part != child.parts_taken || info.part >= info.parts) {
    return absl::InvalidArgumentError("it is part " + std::to_string(info.part) + " of " +
                                      std::to_string(info.parts) + " where " +
                                      std::to_string(child.parts_taken) + " is due");
  }
  if (info.roster.empty() || !info.roster.IsSubsetOf(task.participants)) {
    return absl::InvalidArgumentError("its roster " + info.roster.ToString() +
                                      " is not within the task's " + task.participants.ToString());
  }
  return info.form;
}

absl::Status AggregatorCore::CheckStaleness(const VersionRef& base,
                                            const VersionRef& newest) const {
  const uint64_t staleness = StalenessOf(base, newest);
  if (config_.staleness == nullptr || staleness <= config_.staleness->Max()) {
    return absl::OkStatus();
  }
  return absl::OutOfRangeError("it is " + std::to_string(staleness) + " versions old, at most " +
                               std::to_string(config_.staleness->Max()) + " are allowed");
}

void AggregatorCore::On(const agg_event::UploadOffered& e) {
  const UploadId& id = e.info.id;
  Child* child = Find(id.child);
  if (child == nullptr || child->linked != id.epoch || child->linked == 0) {
    Do(agg_action::Acknowledge{id, absl::FailedPreconditionError("the attachment is void")});
    return;
  }
  if (IsCounted(*child, e.info)) {
    // The acknowledgment was lost on the way; it counts once all the same. The child must know,
    // also when the round is over: what it keeps beside its update goes by it.
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
      OnRefused(*child, e.info, Message(status));
    }
    return;
  }
  child->upload = id;
  const Turn turn{child->last_grant, ++offers_};
  uploads_[id] = {.info = e.info, .turn = turn};
  queue_[turn] = id;
}

void AggregatorCore::GrantWaiting() {
  room_at_ = Time::max();
  while (!queue_.empty()) {
    Upload& upload = uploads_.at(queue_.begin()->second);
    if (staged_bytes_ > 0 && staged_bytes_ + upload.info.bytes > config_.staging_bytes) return;
    if (!recent_grants_.Allow(upload.info.bytes, now_)) {
      room_at_ = recent_grants_.NextRoom();
      return;
    }
    if (!BeforeGrant(upload.info)) return;
    upload.grant = ++grants_;
    recent_grants_.Add(upload.grant, upload.info.bytes, now_);
    staged_bytes_ += upload.info.bytes;
    upload.last_progress = now_;
    Do(agg_action::Grant{upload.info.id, FoldsEarly()});
    stalls_at_ = std::min(stalls_at_, now_ + config_.upload_stall_timeout);
    Find(upload.info.id.child)->last_grant = upload.grant;
    queue_.erase(queue_.begin());
  }
}

void AggregatorCore::On(const agg_event::UploadProgressed& e) {
  auto it = uploads_.find(e.id);
  if (it != uploads_.end()) it->second.last_progress = now_;
}

void AggregatorCore::On(const agg_event::UploadStaged& e) {
  auto it = uploads_.find(e.id);
  if (it == uploads_.end()) return;
  absl::Status status = BeforeFold(it->second.info);
  if (!status.ok()) return On(agg_event::UploadFolded{e.id, std::move(status)});
  Do(agg_action::Fold{it->second.info});
}

void AggregatorCore::On(const agg_event::UploadFolded& e) {
  auto it = uploads_.find(e.id);
  if (it == uploads_.end()) return;
  const UploadInfo info = it->second.info;
  Child& child = *Find(e.id.child);
  DropUpload(e.id, e.status);
  if (!e.status.ok()) {
    if (child.standing == Standing::kPending) {
      OnRefused(child, info, Message(e.status));
    }
    return;
  }
  const bool more =
      child.counted && child.counted->seq == info.seq && child.counted->pass == info.base.pass;
  if (!more) child.counted = Child::Counted{info.seq, info.base.pass, 0};
  ++child.counted->parts;
  OnAccepted(child, info);
}

bool AggregatorCore::IsCounted(const Child& child, const UploadInfo& info) {
  if (!child.counted || child.counted->seq != info.seq) return false;
  if (info.base.pass != child.counted->pass) return info.base.pass < child.counted->pass;
  return info.part < child.counted->parts;
}

void AggregatorCore::On(const agg_event::UploadBroken& e) {
  auto it = uploads_.find(e.id);
  if (it == uploads_.end()) return;
  const UploadInfo info = it->second.info;
  Child& child = *Find(e.id.child);
  DropUpload(e.id, absl::DataLossError(e.reason));
  if (child.standing == Standing::kPending) OnRefused(child, info, e.reason);
}

// Forgets an upload, gives its credit back and tells the child.
void AggregatorCore::DropUpload(const UploadId& id, const absl::Status& status) {
  auto it = uploads_.find(id);
  if (it == uploads_.end()) return;
  if (it->second.granted()) {
    staged_bytes_ -= it->second.info.bytes;
    recent_grants_.Remove(it->second.grant);
  } else {
    queue_.erase(it->second.turn);
  }
  uploads_.erase(it);
  Find(id.child)->upload.reset();
  Do(agg_action::Acknowledge{id, status});
}

void AggregatorCore::CheckStalls() {
  std::vector<UploadId> stalled;
  stalls_at_ = Time::max();
  for (const auto& [id, upload] : uploads_) {
    if (!upload.granted()) continue;
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
    Child& child = *Find(id.child);
    if (child.standing == Standing::kPending) OnFailed(child, reason, event::kWorkerLeftOut);
  }
}

void AggregatorCore::On(const agg_event::ChildFailed& e) {
  Child* child = Find(e.child);
  if (child == nullptr || child->standing != Standing::kPending) return;
  const Task task = TaskOf(*child);
  if (e.what.kind != task.kind || e.what.round != task.round ||
      e.what.local_round != task.local_round) {
    return;
  }
  if (child->upload) DropUpload(*child->upload, absl::AbortedError("the child gave up"));
  OnFailed(*child, e.what.reason,
           e.what.bad_update ? event::kUpdateRejected : event::kWorkerLeftOut);
}

std::optional<double> AggregatorCore::TaskSeconds(const Child& child) const {
  if (!child.asked) return std::nullopt;
  return std::round(ToSeconds(now_ - *child.asked) * 1e6) / 1e6;
}

void AggregatorCore::Report(const char* type, const Child& child, uint64_t round, ValueMap fields) {
  fields["parent"] = config_.view.id;
  if (const auto seconds = TaskSeconds(child)) fields["task_s"] = *seconds;
  Do(agg_action::Report{Event{0, type, round, child.view.id, std::move(fields)}});
}

void AggregatorCore::ReportAccepted(const Child& child, const UploadInfo& info, ValueMap fields) {
  if (child.is_worker()) {
    fields["samples"] = info.num_samples;
    fields["seq"] = info.seq;
    const bool reported = TaskOf(child).wants_reports && !info.reports.empty();
    if (reported && info.reports.front().loss) fields[kLossMetric] = *info.reports.front().loss;
    if (reported && info.reports.front().loss_squared) {
      fields[kLossSquaredMetric] = *info.reports.front().loss_squared;
    }
  } else {
    fields["roster"] = info.roster.ToString();
    fields["updates"] = info.updates;
  }
  Report(child.is_worker() ? event::kUpdateAccepted : event::kPartialAccepted, child,
         TaskOf(child).round, std::move(fields));
}

void AggregatorCore::ReportFailed(const char* type, const Child& child, const std::string& reason) {
  const Task task = TaskOf(child);
  ValueMap fields = {{"reason", reason}};
  if (!child.is_worker()) fields["roster"] = task.participants.ToString();
  if (task.kind == TaskKind::kEvaluate) fields["task"] = "evaluate";
  Report(type, child, task.round, std::move(fields));
}

// ---- steps ----

uint64_t AggregatorCore::StalenessOf(const VersionRef& base, const VersionRef& newest) {
  return newest.version - std::min(newest.version, base.version);
}

Roster AggregatorCore::Within(const Child& child, const Roster& roster) {
  return roster.Intersection(Roster::Range(child.view.leaf_begin, child.view.leaf_end));
}

std::set<VersionRef> AggregatorCore::BasesUnderWay() const {
  std::set<VersionRef> bases;
  for (const auto& [id, upload] : uploads_) {
    if (upload.granted()) bases.insert(upload.info.base);
  }
  return bases;
}

void AggregatorCore::Count(const UploadInfo& info) {
  agg_action::Bucket& bucket = buckets_[{info.lot, info.base}];
  bucket.base = info.base;
  members_[{info.lot, info.base}].Add(info.roster);
  bucket.updates += info.updates;
}

bool AggregatorCore::IsCounted(const VersionRef& base, const Roster& roster) const {
  const auto members = members_.find({0, base});
  return members != members_.end() && members->second.Intersects(roster);
}

void AggregatorCore::ClearBuckets() {
  buckets_.clear();
  members_.clear();
}

agg_action::CloseFold AggregatorCore::TakeBuckets(const Task& task, const VersionRef& base,
                                                  const std::vector<uint64_t>& lots) {
  std::map<VersionRef, agg_action::Bucket> taken;  // the lots' buckets of one base are one
  std::erase_if(buckets_, [&](const auto& entry) {
    const auto& [key, bucket] = entry;
    if (bucket.updates == 0) return false;  // something is on its way to it
    if (std::find(lots.begin(), lots.end(), key.lot) == lots.end()) return false;
    // Other lots may have made versions since these were accepted. Elsewhere the parent judges.
    if (const absl::Status fresh = CheckStaleness(key.base, base); IsRoot() && !fresh.ok()) {
      Drop(key, Message(fresh));
      return true;
    }
    agg_action::Bucket& into = taken[key.base];
    into.base = key.base;
    into.lots.push_back({key.lot, members_.extract(key).mapped().ToRoster(), bucket.updates});
    into.roster.Merge(into.lots.back().roster);
    into.updates += bucket.updates;
    return true;
  });
  agg_action::CloseFold close{.task = task, .base = base};
  for (auto& [version, bucket] : taken) {
    if (config_.staleness != nullptr) {
      bucket.staleness_weight = config_.staleness->Weight(StalenessOf(version, base));
    }
    close.roster.Merge(bucket.roster);
    close.buckets.push_back(std::move(bucket));
  }
  return close;
}

void AggregatorCore::Drop(const BucketKey& key, const std::string& reason) {
  const Roster roster = members_.extract(key).mapped().ToRoster();
  Do(agg_action::Report{Event{0,
                              event::kUpdatesDropped,
                              0,
                              config_.view.id,
                              {{"reason", reason},
                               {"version", key.base.version},
                               {"roster", roster.ToString()},
                               {"updates", buckets_.at(key).updates}}}});
  Do(agg_action::DropBucket{key});
}

void AggregatorCore::AskPolicy(PolicyView view, Time since, Time at) {
  policy_asks_at_ = at;
  view.elapsed = now_ - since;
  const PolicyDecision decision = config_.policy->Decide(view);
  switch (decision.verdict) {
    case PolicyDecision::Verdict::kWait:
      if (decision.ask_again != Duration::max()) {
        policy_asks_at_ = std::min(at, since + decision.ask_again);
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

// ---- time ----

void AggregatorCore::On(const agg_event::Tick&) {
  CheckStalls();
  OnTime();
}

// Asks for a wake-up unless one is due in time. Each brings a Tick, so one for every event would
// multiply them.
void AggregatorCore::SetWake() {
  wakes_.erase(wakes_.begin(), wakes_.upper_bound(now_));  // their ticks come or have come
  const Time uploads_at = std::min(stalls_at_, room_at_);
  const Time next = Collecting() ? std::min(uploads_at, policy_asks_at_) : uploads_at;
  if (next <= now_ || next == Time::max()) return;
  if (!wakes_.empty() && *wakes_.begin() <= next) return;
  wakes_.insert(next);
  Do(agg_action::WakeAt{next});
}

}  // namespace skein
