#include <algorithm>
#include <deque>
#include <iterator>
#include <optional>

#include "runtime/aggregating_node.h"
#include "runtime/uplink.h"
#include "skein/base/random.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// An aggregator that is not the root: its tasks and models come from its parent, its partials go
// there.
class AggregatorNode : public AggregatingNode, public Uplink::Owner {
 public:
  using AggregatingNode::AggregatingNode;
  ~AggregatorNode() override {
    if (uplink_) uplink_->Close();
  }

 private:
  // What answers a task: partials, one after another, each until the parent has taken or refused
  // it. Those that are passed on stay with the others until it is their turn.
  struct Part {
    PartialHeader header;
    std::optional<PackedTensors> sums;
  };
  struct Delivery {
    Task task;
    std::deque<Part> parts;
    std::unique_ptr<Accumulator> collected = nullptr;
    uint64_t transfer = 0;  // of the first of them
  };

  absl::Status OnAssigned() override {
    SKEIN_RETURN_IF_ERROR(AggregatingNode::OnAssigned());
    uplink_ = std::make_shared<Uplink>(
        this, services_.transport, services_.executor, services_.memory.buffers,
        HelloFrame{kProtocolVersion, config_.run_id, id(), options_.incarnation, 0},
        DeriveSeed(options_.incarnation, {view_.leaf_begin}));
    return absl::OkStatus();
  }

  absl::Status OnMessage(ControlMessage message) override {
    if (auto* attach = std::get_if<AttachMsg>(&message)) {
      uplink_->Attach(*attach);
      return absl::OkStatus();
    }
    return AggregatingNode::OnMessage(std::move(message));
  }

  void OnEnd(const absl::Status& why) override {
    if (uplink_) uplink_->Close();
    AggregatingNode::OnEnd(why);
  }

  // ---- Uplink::Owner ----

  void OnParentUp(Epoch epoch) override {
    epoch_ = epoch;
    SendControl(AttachedMsg{epoch});
    Offer();
  }
  void OnTask(Task task) override {
    if (delivery_ && !IsSameTask(delivery_->task, task)) Withdraw();
    const absl::Status adopted = AdoptPolicies(task.policies);
    if (!adopted.ok()) return DeliverFailure(task, "'" + id() + "': " + Message(adopted));
    Feed(agg_event::TaskArrived{std::move(task), 0, epoch_});
  }
  bool HasModel(const VersionRef& version) const override {
    const Model* model = FindModel(version);
    return model != nullptr && model->whole();
  }
  // The children get what is there while the rest is still coming.
  bool OnModelBegun(const ModelHeader& header, std::shared_ptr<InboundTransfer> bytes) override {
    numeric_ = header.numeric;
    AddModel(header.version, Model(bytes->tensors(), [bytes] { return bytes->received(); }));
    return true;
  }
  void OnModelGrew() override { downlinks().ModelGrew(); }
  void OnModelLost(const VersionRef& version) override { DropModel(version); }
  void OnModel(ReceivedModel model) override {
    const Model* known = FindModel(model.header.version);
    if (known == nullptr) return;        // superseded while it came
    Model(*known).Finish(model.digest);  // copies are one model
    downlinks().ModelGrew();
  }
  void OnParentForeign(const absl::Status& why) override { Fail(why); }
  void OnCancel(const CancelFrame& cancel) override {
    if (delivery_ && delivery_->task.round == cancel.round) Withdraw();
    Feed(agg_event::Cancelled{cancel.round, cancel.reason});
  }
  void OnCommitted(const CommittedFrame& committed) override {
    Feed(agg_event::Committed{committed.round, committed.version});
  }

  // ---- results ----

  absl::Status DeliverFold(const agg_action::CloseFold& close) override {
    Delivery delivery{.task = close.task, .parts = {}};
    for (const agg_action::Bucket& closed : close.buckets) {
      SKEIN_ASSIGN_OR_RETURN(Bucket bucket, TakeBucket(closed));
      if (parts().collects) {
        PassOn(close, std::move(bucket), delivery);
        continue;
      }
      SKEIN_ASSIGN_OR_RETURN(Partial partial, MakePartial(close, bucket));
      const bool local = close.into == agg_action::CloseFold::Into::kLocalDelta;
      PartialHeader header{
          .round = close.task.round,
          .local_round = close.task.local_round,
          .base = local ? close.task.base : closed.base,
          .total_weight = partial.total_weight,
          .scalars = std::move(partial.scalars),
          .num_samples = bucket.tally.num_samples,
          .roster = closed.roster,
          .metrics = std::move(bucket.tally.metrics),
          .task = close.task.seq_first,
          .part = static_cast<uint32_t>(delivery.parts.size()),
          .parts = static_cast<uint32_t>(close.buckets.size()),
          .updates = closed.updates,
          .contributions = parts().above != nullptr ? 1 : bucket.tally.contributions};
      if (delivery.parts.empty()) header.reports = close.reports;
      delivery.parts.push_back({std::move(header), std::move(partial.sums)});
    }
    delivery_ = std::move(delivery);
    RestMemory();
    SendEvents();  // before the parent reports what it has made of them
    Offer();
    return absl::OkStatus();
  }

  absl::StatusOr<Partial> MakePartial(const agg_action::CloseFold& close, Bucket& bucket) {
    if (close.into == agg_action::CloseFold::Into::kPartial) return bucket.sums->TakePartial();
    // The last local model's difference to the task's base stands for the subtree, with the weight
    // of the last local round (HierFAVG, Liu et al. 2020, arXiv 1905.06641). Another fold above
    // weighs it as a worker with the samples of them all.
    const std::shared_ptr<const Fold>& above = parts().above;
    const Fixed128 weight = above != nullptr ? Fixed128::FromInt(static_cast<int64_t>(
                                                   above->SubtreeWeight(bucket.tally.num_samples)))
                                             : bucket.sums->total_weight();
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors base, WholeModel(close.task.base));
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors local, FinishLocalRound(close, *bucket.sums));
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors delta,
                           DeltaOf(local, base, *services_.memory.buffers));
    const Fold& fold = above != nullptr ? *above : *parts().fold;
    auto whole = fold.NewAccumulator(base.manifest(), numeric_, services_.memory.buffers);
    SKEIN_RETURN_IF_ERROR(whole->AddSubtree(delta, weight));
    return whole->TakePartial();
  }

  // With a barrier there is one bucket. They go in the order of their leaves: in another life too,
  // the n-th is the same.
  void PassOn(const agg_action::CloseFold& close, Bucket bucket, Delivery& delivery) {
    std::ranges::sort(bucket.members, {},
                      [](const Member& member) { return member.roster.intervals().front().begin; });
    for (Member& member : bucket.members) {
      PartialHeader header{.round = close.task.round,
                           .local_round = close.task.local_round,
                           .base = close.base,
                           .total_weight = {},
                           .scalars = {},
                           .num_samples = member.tally.num_samples,
                           .roster = std::move(member.roster),
                           .metrics = std::move(member.tally.metrics),
                           .task = close.task.seq_first,
                           .part = static_cast<uint32_t>(delivery.parts.size()),
                           .parts = static_cast<uint32_t>(bucket.members.size()),
                           .updates = member.updates,
                           .contributions = 1};
      std::ranges::copy_if(
          close.reports, std::back_inserter(header.reports),
          [&](const WorkerReport& report) { return header.roster.Contains(report.leaf); });
      delivery.parts.push_back({std::move(header), std::nullopt});
    }
    delivery.collected = std::move(bucket.sums);
  }

  absl::Status FillFirst() {
    Part& part = delivery_->parts.front();
    if (part.sums) return absl::OkStatus();
    SKEIN_ASSIGN_OR_RETURN(Partial first, delivery_->collected->TakeFirst());
    part.header.total_weight = first.total_weight;
    part.header.scalars = std::move(first.scalars);
    part.sums = std::move(first.sums);
    return absl::OkStatus();
  }

  void Offer() {
    if (!delivery_) return;
    if (const absl::Status filled = FillFirst(); !filled.ok()) {
      const Task task = std::exchange(delivery_, std::nullopt)->task;
      DeliverFailure(task, "'" + id() + "': " + Message(filled));
      return Feed(agg_event::Delivered{});
    }
    const Part& part = delivery_->parts.front();
    delivery_->transfer = ++transfers_;
    uplink_->Offer(delivery_->transfer, *part.sums, part.header,
                   [this, transfer = delivery_->transfer](const absl::Status& status) {
                     // Refused or accepted, the parent has recorded what it made of it.
                     if (!delivery_ || delivery_->transfer != transfer) return;
                     delivery_->parts.pop_front();
                     if (!delivery_->parts.empty()) return Offer();
                     const uint64_t round = delivery_->task.round;
                     delivery_.reset();
                     if (status.ok() || !parts().policy->has_barrier()) {
                       return Feed(agg_event::Delivered{});
                     }
                     // With it, what it is made of: its workers have to know.
                     Feed(agg_event::Cancelled{round, skein::Message(status)});
                   });
  }

  void Withdraw() {
    uplink_->Withdraw(delivery_->transfer);
    delivery_.reset();
  }

  void DeliverEvaluation(const agg_action::DeliverEvaluation& result) override {
    uplink_->Send(EvalReportFrame{result.task.round, result.task.base, evaluation().num_samples,
                                  result.roster, evaluation().metrics});
    Feed(agg_event::Delivered{});
  }

  void DeliverFailure(const Task& task, const std::string& reason) override {
    uplink_->Send(TaskFailedFrame{task.kind, task.round, task.local_round, reason});
  }

  std::shared_ptr<Uplink> uplink_;
  std::optional<Delivery> delivery_;
  uint64_t transfers_ = 0;
  Epoch epoch_ = 0;  // of the attachment that holds
};

}  // namespace

std::shared_ptr<Node> MakeAggregatorNode(NodeServices services, NodeOptions options) {
  return std::make_shared<AggregatorNode>(std::move(services), std::move(options));
}

}  // namespace skein
