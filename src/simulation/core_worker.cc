#include "simulation/core_worker.h"

#include <algorithm>

#include "simulation/core_parent.h"

namespace skein {

CoreWorker::CoreWorker(CoreWorld* world, size_t node)
    : CoreChild(world, node), core_(world->config.limits.cancel_grace) {}

void CoreWorker::Begin() {
  core_ = WorkerCore(world_->config.limits.cancel_grace);
  model_.reset();
  kept_.clear();
  trainings_ = 0;
}

void CoreWorker::End() {
  ++life_;
  Hangup();
}

void CoreWorker::OnModel(const VersionRef& version) {
  model_ = version;
  Feed(worker_event::ModelArrived{version});
}

void CoreWorker::OnCancel(const CancelFrame& cancel) {
  Feed(worker_event::Cancelled{cancel.round, cancel.local_round});
}

void CoreWorker::OnCommitted(const CommittedFrame& committed) {
  Feed(worker_event::Committed{committed.round});
}

// What was withdrawn meanwhile is not sent.
void CoreWorker::OnGrant(uint64_t transfer) {
  for (const Kept& kept : kept_) {
    if (kept.transfer != transfer) continue;
    SendUp(world_->sizes.update, [this, id = UploadId{id(), epoch(), transfer}] {
      parent().Feed(agg_event::UploadStaged{id});
    });
    return;
  }
}

void CoreWorker::OnAnswer(uint64_t transfer, const absl::Status& status) {
  for (const Kept& kept : kept_) {
    if (kept.transfer == transfer) return Feed(worker_event::UpdateAnswered{kept.seq, status});
  }
}

// ---- the core's decisions ----

void CoreWorker::Feed(const WorkerEvent& event) {
  for (const WorkerAction& action : core_.Handle(event, world_->Now())) {
    std::visit([this](const auto& a) { Do(a); }, action);
  }
}

void CoreWorker::Do(const worker_action::StartWork& a) {
  task_ = a.task;
  start_ = a.start;
  const auto pace = world_->conditions->PaceOf(id(), leaf());
  const Duration time = pace.ok() ? pace->Training(trainings_, task_.steps) : Duration(0);
  ++trainings_;
  WorkEnds(world_->Now() + time, start_);
}

void CoreWorker::WorkEnds(Time when, uint64_t start) {
  world_->simulation->At(when, [this, start, life = life_] {
    if (life != life_ || start != start_) return;
    kept_.push_back({task_.seq_first, task_.round, task_.local_round, task_.base});
    kept_.back().wants_reports = task_.wants_reports;
    // Nothing is trained. What workers say falls as they take part, so that selectors that go by
    // losses have something to go by.
    kept_.back().loss = 1.0 / static_cast<double>(trainings_);
    start_ = 0;  // once
    Feed(worker_event::WorkEnded{start, absl::OkStatus()});
  });
}

void CoreWorker::Do(const worker_action::CancelWork&) { WorkEnds(world_->Now(), start_); }

void CoreWorker::Do(const worker_action::OfferUpdate& a) {
  const auto kept =
      std::find_if(kept_.begin(), kept_.end(), [&](const Kept& k) { return k.seq == a.seq; });
  if (kept == kept_.end()) return;
  kept->transfer = ++transfers_;
  UploadInfo info{.id = {id(), epoch(), kept->transfer},
                  .kind = TransferKind::kUpdate,
                  .round = kept->round,
                  .local_round = kept->local_round,
                  .base = kept->base,
                  .seq = kept->seq,
                  .num_samples = 1,
                  .roster = Roster::Range(leaf(), leaf() + 1),
                  .reports = {},
                  .bytes = world_->sizes.model_bytes};
  if (kept->wants_reports) {
    info.reports = {{.leaf = leaf(), .num_samples = info.num_samples, .loss = kept->loss}};
  }
  SendUp(world_->sizes.update_offer,
         [this, info = std::move(info)] { parent().Feed(agg_event::UploadOffered{info}); });
}

void CoreWorker::Do(const worker_action::DropUpdate& a) {
  std::erase_if(kept_, [&](const Kept& kept) { return kept.seq == a.seq; });
}

void CoreWorker::Do(const worker_action::SendFailed& a) {
  SendUp(world_->sizes.failed, [this, what = a.what] {
    parent().Feed(agg_event::ChildFailed{id(), what});
  });
}

void CoreWorker::Do(const worker_action::WakeAt& a) {
  world_->simulation->At(a.when, [this, life = life_] {
    if (life == life_) Feed(worker_event::Tick{});
  });
}

}  // namespace skein
