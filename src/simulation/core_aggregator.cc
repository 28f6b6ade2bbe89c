#include "simulation/core_aggregator.h"

#include <algorithm>
#include <utility>

namespace skein {
namespace {

constexpr uint64_t kReportBytes = 32;  // of a worker, encoded, with its loss

}  // namespace

// ---- an aggregator ----

void CoreAggregator::OnTask(const Task& task) {
  if (delivery_ && !IsSameTask(delivery_->task, task)) delivery_.reset();
  Feed(agg_event::TaskArrived{task, 0, epoch()});
}

void CoreAggregator::OnModelBegun(const VersionRef& version, Time whole_at) {
  AddModel(version, whole_at);
}

void CoreAggregator::OnCancel(const CancelFrame& cancel) {
  if (delivery_ && delivery_->task.round == cancel.round) delivery_.reset();
  Feed(agg_event::Cancelled{cancel.round, cancel.reason});
}

void CoreAggregator::OnCommitted(const CommittedFrame& committed) {
  Feed(agg_event::Committed{committed.round, committed.version});
}

void CoreAggregator::Deliver(const agg_action::CloseFold& close) {
  const bool local = close.into == agg_action::CloseFold::Into::kLocalDelta;
  if (collects()) return PassOn(close);
  Delivery delivery{.task = close.task, .parts = {}};
  for (const agg_action::Bucket& closed : close.buckets) {
    const bool first = delivery.parts.empty();
    delivery.parts.push_back({.id = {},
                              .kind = TransferKind::kPartial,
                              .round = close.task.round,
                              .local_round = close.task.local_round,
                              .base = local ? close.task.base : closed.base,
                              .seq = close.task.seq_first,
                              .part = static_cast<uint32_t>(delivery.parts.size()),
                              .parts = static_cast<uint32_t>(close.buckets.size()),
                              .num_samples = TakeSamples(closed),
                              .updates = closed.updates,
                              .roster = closed.roster,
                              .reports = first ? close.reports : std::vector<WorkerReport>(),
                              .bytes = 2 * CoreChild::world_->sizes.model_bytes});
  }
  delivery_ = std::move(delivery);
  Offer();
}

void CoreAggregator::PassOn(const agg_action::CloseFold& close) {
  std::vector<UploadInfo> collected = TakeCollected();
  std::ranges::sort(collected, {},
                    [](const UploadInfo& info) { return info.roster.intervals().front().begin; });
  Delivery delivery{.task = close.task, .parts = {}};
  for (UploadInfo part : collected) {
    part.kind = TransferKind::kPartial;
    part.round = close.task.round;
    part.local_round = close.task.local_round;
    part.base = close.base;
    part.seq = close.task.seq_first;
    part.part = static_cast<uint32_t>(delivery.parts.size());
    part.parts = static_cast<uint32_t>(collected.size());
    part.bytes = 2 * CoreChild::world_->sizes.model_bytes;
    part.lot = 0;
    delivery.parts.push_back(std::move(part));
  }
  delivery_ = std::move(delivery);
  Offer();
}

void CoreAggregator::Offer() {
  if (!delivery_) return;
  delivery_->transfer = ++transfers_;
  UploadInfo info = delivery_->parts.front();
  info.id = {id(), epoch(), transfers_};
  const uint64_t reports = kReportBytes * info.reports.size();
  SendUp(CoreChild::world_->sizes.partial_offer + reports,
         [this, info = std::move(info)] { parent().Feed(agg_event::UploadOffered{info}); });
}

void CoreAggregator::OnGrant(uint64_t transfer) {
  if (!delivery_ || delivery_->transfer != transfer) return;
  SendUp(CoreChild::world_->sizes.partial, [this, id = UploadId{id(), epoch(), transfer}] {
    parent().Feed(agg_event::UploadStaged{id});
  });
}

void CoreAggregator::OnAnswer(uint64_t transfer, const absl::Status&) {
  // Refused or accepted, the parent has recorded what it made of it.
  if (!delivery_ || delivery_->transfer != transfer) return;
  delivery_->parts.pop_front();
  if (!delivery_->parts.empty()) return Offer();
  delivery_.reset();
  Feed(agg_event::Delivered{});
}

void CoreAggregator::DeliverFailure(const Task& task, const std::string& reason) {
  SendUp(CoreChild::world_->sizes.failed,
         [this, what = TaskFailedFrame{task.kind, task.round, task.local_round, reason}] {
           parent().Feed(agg_event::ChildFailed{id(), what});
         });
}

// ---- the coordinator ----

void CoreCoordinator::MakeInitialModel() {
  world_->control->Tell(0, ModelReadyMsg{VersionRef{}, ""});
  AddModel(VersionRef{}, world_->Now());
}

void CoreCoordinator::OnPlan(const PlanMsg& plan) {
  planned_round_ = plan.round;
  last_version_ = plan.last_version;
  Task task{TaskKind::kTrain, plan.round,     plan.attempt,   0,
            plan.base,        plan.seq_first, plan.seq_count, plan.participants};
  task.wants_reports = plan.wants_reports;
  Feed(agg_event::TaskArrived{std::move(task), plan.last_version});
}

void CoreCoordinator::OnCommit(const CommitMsg& commit) {
  newest_ = commit.version;
  AddModel(newest_, world_->Now());
  Feed(agg_event::Committed{commit.round, commit.version});
}

void CoreCoordinator::OnFinish(const FinishMsg& finish) {
  Feed(agg_event::Cancelled{planned_round_, finish.reason});
  world_->control->Tell(0, FinishedMsg{.version = newest_});
}

void CoreCoordinator::Deliver(const agg_action::CloseFold& close) {
  RoundResultMsg result{.round = last_version_ == 0 ? close.task.round : close.made.version,
                        .attempt = close.task.attempt,
                        .version = close.made,
                        .roster = close.roster,
                        .weight = close.weight,
                        .reports = close.reports};
  for (const agg_action::Bucket& bucket : close.buckets) {
    result.num_samples += TakeSamples(bucket);
    result.bases.push_back({bucket.base.version, bucket.updates});
  }
  world_->control->Tell(0, std::move(result));
  if (last_version_ != 0) {
    newest_ = close.made;
    AddModel(newest_, world_->Now());
  }
  Feed(agg_event::Delivered{});
}

void CoreCoordinator::DeliverFailure(const Task& task, const std::string& reason) {
  world_->control->Tell(0, RoundResultMsg{.round = task.round,
                                          .attempt = task.attempt,
                                          .code = static_cast<int>(absl::StatusCode::kAborted),
                                          .message = reason});
}

}  // namespace skein
