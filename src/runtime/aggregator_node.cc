#include <algorithm>
#include <deque>
#include <iterator>
#include <optional>

#include "codec/link_codecs.h"
#include "runtime/aggregating_node.h"
#include "runtime/make_core.h"
#include "runtime/model_encoder.h"
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
    std::optional<PackedTensors> tensors;          // sums, or their mean
    std::optional<OutboundTensors> outbound = {};  // from when it is its turn
  };
  // A bucket as one contribution.
  struct Whole {
    PackedTensors delta;
    Fixed128 weight;
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
        DeriveSeed(options_.incarnation, {view_.leaf_begin}), codecs());
    up_ = codecs()->partials(view_.tier - 1);
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
    // The parent goes on. If it has not said what it made of the last partial, its answer was lost
    // with a link, and most likely it counts; what does not is lost like any update that is late.
    if (delivery_ && !IsSameTask(delivery_->task, task)) Withdraw(true);
    const absl::Status adopted = AdoptPolicies(task.policies);
    if (!adopted.ok()) return DeliverFailure(task, "'" + id() + "': " + Message(adopted));
    Feed(agg_event::TaskArrived{std::move(task), 0, epoch_});
  }
  bool HasModel(const VersionRef& version) const override {
    const Model* model = FindModel(version);
    return model != nullptr && model->whole();
  }
  std::optional<PackedTensors> BaseModel(const VersionRef& version) const override {
    if (auto model = WholeModel(version); model.ok()) return *std::move(model);
    if (base_ && base_->first == version) return base_->second;
    return std::nullopt;
  }
  // The children get what is there while the rest is still coming, unless they get it otherwise.
  bool OnModelBegun(const ModelHeader& header, std::shared_ptr<InboundTransfer> bytes) override {
    if (EncodesModels() || header.version.pass > 0) return false;
    numeric_ = header.numeric;
    AddModel(header.version, Model(bytes->tensors(), [bytes] { return bytes->received(); }));
    return true;
  }
  void OnModelGrew() override { downlinks().ModelGrew(); }
  void OnModelLost(const VersionRef& version) override { DropModel(version); }
  void OnModel(ReceivedModel model) override {
    if (model.header.version.pass > 0) {
      return AddQuestion(model.header.version,
                         Model(std::move(model.tensors), std::move(model.digest)));
    }
    const CodecPipeline* down = codecs()->models(view_.tier - 1);
    if (down != nullptr && down->has_delta()) base_ = {model.header.version, model.tensors};
    if (model.payload || EncodesModels()) {
      numeric_ = model.header.numeric;
      const VersionRef version = model.header.version;
      return AddModel(version, Model(std::move(model.tensors), std::move(model.digest)),
                      model.payload);
    }
    const Model* known = FindModel(model.header.version);
    if (known == nullptr) return;        // superseded while it came
    Model(*known).Finish(model.digest);  // copies are one model
    downlinks().ModelGrew();
  }
  void OnParentForeign(const absl::Status& why) override { Fail(why); }
  void OnCancel(const CancelFrame& cancel) override {
    if (delivery_ && delivery_->task.round == cancel.round) Withdraw(false);
    LetGo();
    Feed(agg_event::Cancelled{cancel.round, cancel.reason});
  }
  void OnCommitted(const CommittedFrame& committed) override {
    LetGo();
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
      const bool mean = SendsMeans();
      absl::StatusOr<Partial> made = mean ? MakeMean(close, bucket) : MakePartial(close, bucket);
      SKEIN_ASSIGN_OR_RETURN(Partial partial, std::move(made));
      const bool local = close.into == agg_action::CloseFold::Into::kLocalDelta;
      PartialHeader header{
          .round = close.task.round,
          .local_round = close.task.local_round,
          .base = local                    ? close.task.base
                  : parts().answers_passes ? close.asked
                                           : closed.base,
          .total_weight = partial.total_weight,
          .scalars = std::move(partial.scalars),
          .num_samples = bucket.tally.num_samples,
          .roster = closed.roster,
          .metrics = bucket.tally.metrics,
          .task = close.task.seq_first,
          .part = static_cast<uint32_t>(delivery.parts.size()),
          .parts = static_cast<uint32_t>(close.buckets.size()),
          .updates = closed.updates,
          .contributions = parts().above != nullptr ? 1 : bucket.tally.contributions};
      header.mean = mean;
      if (delivery.parts.empty()) header.reports = close.reports;
      delivery.parts.push_back({std::move(header), std::move(partial.sums)});
      if (parts().answers_passes) Keep(std::move(bucket));
    }
    delivery_ = std::move(delivery);
    RestMemory();
    // Before the parent reports what it has made of them. A pass over nodes below has no events,
    // and moves bytes.
    if (close.asked.pass > 0 && HasAggregators(view_)) {
      SendReport();
    } else {
      SendEvents();
    }
    Offer();
    return absl::OkStatus();
  }

  absl::StatusOr<Partial> MakePartial(const agg_action::CloseFold& close, Bucket& bucket) {
    SKEIN_RETURN_IF_ERROR(bucket.asked);
    if (close.into == agg_action::CloseFold::Into::kPartial) return bucket.sums->TakePartial();
    SKEIN_ASSIGN_OR_RETURN(const Whole whole, MakeWhole(close, bucket));
    const std::shared_ptr<const Fold>& above = parts().above;
    const Fold& fold = above != nullptr ? *above : *parts().fold;
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors base, WholeModel(close.task.base));
    auto sums = fold.NewAccumulator(base.manifest(), numeric_, services_.memory.buffers);
    SKEIN_RETURN_IF_ERROR(sums->AddSubtree(whole.delta, whole.weight));
    return sums->TakePartial();
  }

  // The last local model's difference to the task's base stands for the subtree, with the weight of
  // the last local round (HierFAVG, Liu et al. 2020, arXiv 1905.06641). Another fold above weighs
  // it as a worker with the samples of them all.
  absl::StatusOr<Whole> MakeWhole(const agg_action::CloseFold& close, Bucket& bucket) {
    const std::shared_ptr<const Fold>& above = parts().above;
    const Fixed128 weight = above != nullptr ? Fixed128::FromInt(static_cast<int64_t>(
                                                   above->SubtreeWeight(bucket.tally.num_samples)))
                                             : bucket.sums->total_weight();
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors base, WholeModel(close.task.base));
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors local, FinishLocalRound(close, *bucket.sums));
    SKEIN_ASSIGN_OR_RETURN(PackedTensors delta, DeltaOf(local, base, *services_.memory.buffers));
    return Whole{std::move(delta), weight};
  }

  bool SendsMeans() const { return up_ != nullptr && up_->lossy(); }

  // A mean that goes up has an update's types: those of a model of float16 would round it first.
  absl::StatusOr<Manifest> ManifestOfMeans() const override {
    const bool of_sums = parts().kappa == 1 && parts().above == nullptr;
    if (!SendsMeans() || !of_sums) return model_manifest();
    return UpdateManifest(model_manifest());
  }

  // What goes up by codecs that lose something: exact sums would not survive them.
  absl::StatusOr<Partial> MakeMean(const agg_action::CloseFold& close, Bucket& bucket) {
    absl::StatusOr<Whole> whole = close.into == agg_action::CloseFold::Into::kPartial
                                      ? MeanOf(bucket)
                                      : MakeWhole(close, bucket);
    if (!whole.ok()) return whole.status();
    return Partial{whole->weight, {}, std::move(whole->delta)};
  }

  // The step from a model of zeros, so that the mean is not rounded as a model is.
  absl::StatusOr<Whole> MeanOf(Bucket& bucket) {
    const Fixed128 weight = bucket.sums->total_weight();
    SKEIN_ASSIGN_OR_RETURN(const Manifest manifest, ManifestOfMeans());
    PackedTensors zeros(manifest, *services_.memory.buffers);
    std::ranges::fill(zeros.mutable_bytes(), std::byte{0});
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors mean, FinishPlainly(zeros, *bucket.sums));
    SKEIN_ASSIGN_OR_RETURN(PackedTensors delta, DeltaOf(mean, zeros, *services_.memory.buffers));
    return Whole{std::move(delta), weight};
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
    if (part.outbound) return absl::OkStatus();
    if (!part.tensors) {
      SKEIN_ASSIGN_OR_RETURN(Partial first, delivery_->collected->TakeFirst());
      part.header.total_weight = first.total_weight;
      part.header.scalars = std::move(first.scalars);
      part.tensors = std::move(first.sums);
    }
    SKEIN_ASSIGN_OR_RETURN(part.outbound, Encode(*part.tensors));
    part.tensors.reset();
    return absl::OkStatus();
  }

  absl::StatusOr<OutboundTensors> Encode(const PackedTensors& tensors) {
    if (up_ == nullptr) return OutboundTensors(tensors, "");
    if (up_->keeps_error() && !errors_) errors_.emplace(tensors.manifest());
    CodecContext context = SenderContext(config_.seed, view_);
    const Part& part = delivery_->parts.front();
    context.round = DeriveSeed(part.header.task, {part.header.part});
    BufferPool& buffers = *services_.memory.buffers;
    SKEIN_ASSIGN_OR_RETURN(EncodedTensors payload,
                           up_->Encode(tensors, context, buffers, errors_ ? &*errors_ : nullptr));
    return OutboundTensors::OfPayload(std::move(payload), up_->form(), std::nullopt,
                                      tensors.manifest(), "");
  }

  // What the encoding has lost is owed once the parent has the rest, and not if it will not.
  void SettleErrors(bool counts) {
    if (!errors_ || !errors_->pending()) return;
    if (!counts || !errors_->Commit().ok()) errors_->Rollback();
  }

  void Offer() {
    if (!delivery_) return;
    if (const absl::Status filled = FillFirst(); !filled.ok()) {
      const Task task = std::exchange(delivery_, std::nullopt)->task;
      return CannotDeliver(task, filled);
    }
    const Part& part = delivery_->parts.front();
    delivery_->transfer = ++transfers_;
    uplink_->Offer(delivery_->transfer, *part.outbound, part.header,
                   [this, transfer = delivery_->transfer](const absl::Status& status) {
                     // Refused or accepted, the parent has recorded what it made of it.
                     if (!delivery_ || delivery_->transfer != transfer) return;
                     SettleErrors(status.ok());
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

  void Withdraw(bool counts) {
    uplink_->Withdraw(delivery_->transfer);
    delivery_.reset();
    SettleErrors(counts);
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
  const CodecPipeline* up_ = nullptr;  // what partials are encoded by; null: they are not
  std::optional<CodecState> errors_;   // that it has lost
  std::optional<std::pair<VersionRef, PackedTensors>> base_;  // of the parent's next difference
  std::optional<Delivery> delivery_;
  uint64_t transfers_ = 0;
  Epoch epoch_ = 0;  // of the attachment that holds
};

}  // namespace

std::shared_ptr<Node> MakeAggregatorNode(NodeServices services, NodeOptions options) {
  return std::make_shared<AggregatorNode>(std::move(services), std::move(options));
}

}  // namespace skein
