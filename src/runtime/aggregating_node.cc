#include "runtime/aggregating_node.h"

#include <algorithm>
#include <cmath>

#include "runtime/make_core.h"
#include "skein/base/random.h"
#include "skein/base/status.h"
#include "skein/tensor/digest.h"

namespace skein {
namespace {

// From here on memory is dearer than the time in which the system gives it again, a fifth of a
// second for a GB.
constexpr uint64_t kLargeModel = uint64_t{256} << 20;

const VersionRef& BaseOf(const OfferFrame& offer) {
  const auto* partial = std::get_if<PartialHeader>(&offer.header);
  return partial != nullptr ? partial->base : std::get<UpdateHeader>(offer.header).base;
}

std::optional<double> FiniteMetric(const UpdateHeader& update, const char* name) {
  const auto metric = update.metrics.find(name);
  if (metric == update.metrics.end() || !std::isfinite(metric->second)) return std::nullopt;
  return metric->second;
}

WorkerReport ReportOf(const UpdateHeader& update) {
  return {.leaf = update.leaf,
          .num_samples = update.num_samples,
          .loss = FiniteMetric(update, kLossMetric),
          .loss_squared = FiniteMetric(update, kLossSquaredMetric)};
}

}  // namespace

AggregatingNode::~AggregatingNode() {
  if (downlinks_) downlinks_->Close();
}

// ---- from the control plane ----

absl::StatusOr<std::string> AggregatingNode::Listen() {
  downlinks_ = std::make_shared<Downlinks>(this, services_.executor, services_.memory.buffers, "",
                                           options_.incarnation);
  acceptor_ = std::make_shared<ShapedAcceptor>(downlinks_, services_.executor);
  SKEIN_ASSIGN_OR_RETURN(listener_, services_.transport->Listen(options_.listen_address,
                                                                services_.executor, acceptor_));
  return listener_->address();
}

absl::Status AggregatingNode::OnAssigned() {
  SKEIN_ASSIGN_OR_RETURN(
      parts_, MakeTierParts(config_.strategy, view_.tier, view_.num_tiers, *services_.strategies));
  SKEIN_ASSIGN_OR_RETURN(
      codecs_, LinkCodecs::Create(config_.strategy, view_.num_tiers, *services_.strategies));
  if (codecs_->models(view_.tier) != nullptr) {
    encoder_.emplace(codecs_, view_.tier, SenderContext(config_.seed, view_),
                     services_.memory.buffers);
  }
  core_ = MakeAggregatorCore(view_, parts_, config_.limits);
  leads_passes_ = LeadsPasses(view_, parts_);
  SKEIN_RETURN_IF_ERROR(ShapeLinks());
  downlinks_->SetRun(config_.run_id);  // may bring children that were faster
  return absl::OkStatus();
}

absl::Status AggregatingNode::AdoptPolicies(const TierPolicies& policies) {
  if (policies == policies_) return absl::OkStatus();
  SKEIN_ASSIGN_OR_RETURN(TierParts parts,
                         MakeTierParts(WithPolicies(config_.strategy, policies), view_.tier,
                                       view_.num_tiers, *services_.strategies));
  if (parts.policy->has_barrier() != parts_.policy->has_barrier()) {
    return absl::InternalError("a policy with a barrier cannot follow one without in a run");
  }
  policies_ = policies;
  parts_.policy = std::move(parts.policy);
  core_->set_policy(parts_.policy);
  return absl::OkStatus();
}

absl::Status AggregatingNode::ShapeLinks() {
  SKEIN_ASSIGN_OR_RETURN(const auto model, ConditionsOfRun());
  const LinkConditions* links = model->LinksOf(view_.tier);
  const auto model_bytes = static_cast<uint64_t>(config_.conditions.model_mb * 1e6);
  if (links == nullptr && model_bytes == 0) return absl::OkStatus();
  acceptor_->Set(links != nullptr ? *links : LinkConditions{}, model_bytes,
                 DeriveSeed(config_.seed, {view_.leaf_begin, static_cast<uint64_t>(view_.tier)}));
  return absl::OkStatus();
}

absl::Status AggregatingNode::OnMessage(ControlMessage message) {
  if (auto* expect = std::get_if<ExpectChildMsg>(&message)) {
    Feed(agg_event::ChildExpected{expect->child, expect->epoch});
  } else if (auto* lost = std::get_if<ChildLostMsg>(&message)) {
    Feed(agg_event::ChildLost{lost->child, lost->epoch, lost->reason});
  }
  return absl::OkStatus();
}

void AggregatingNode::OnEnd(const absl::Status&) {
  if (downlinks_) downlinks_->Close();
  listener_.reset();
}

void AggregatingNode::AddTraffic(ReportMsg& report) const {
  if (downlinks_) std::tie(report.bytes_up, report.bytes_down) = downlinks_->Traffic();
}

// ---- from the children ----

void AggregatingNode::OnChildUp(const NodeId& child, Epoch epoch) {
  Feed(agg_event::ChildUp{child, epoch});
}
void AggregatingNode::OnChildDown(const NodeId& child, Epoch epoch) {
  Feed(agg_event::ChildDown{child, epoch});
}
void AggregatingNode::OnUploadProgress(const UploadId& id) {
  Feed(agg_event::UploadProgressed{id});
}
void AggregatingNode::OnUploadStaged(const UploadId& id) { Feed(agg_event::UploadStaged{id}); }
void AggregatingNode::OnUploadBroken(const UploadId& id, const std::string& reason) {
  Feed(agg_event::UploadBroken{id, reason});
}
void AggregatingNode::OnChildFailed(const NodeId& child, const TaskFailedFrame& what) {
  Feed(agg_event::ChildFailed{child, what});
}

void AggregatingNode::OnUploadOffered(const UploadId& id, const OfferFrame& offer) {
  UploadInfo info{.id = id, .bytes = offer.size(), .form = CheckManifest(offer)};
  if (auto* update = std::get_if<UpdateHeader>(&offer.header)) {
    info.kind = TransferKind::kUpdate;
    info.round = update->round;
    info.local_round = update->local_round;
    info.base = update->base;
    info.seq = update->seq;
    info.num_samples = update->num_samples;
    info.roster = Roster::Range(update->leaf, update->leaf + 1);
    info.reports = {ReportOf(*update)};
  } else if (auto* partial = std::get_if<PartialHeader>(&offer.header)) {
    info.kind = TransferKind::kPartial;
    info.round = partial->round;
    info.local_round = partial->local_round;
    info.base = partial->base;
    info.seq = partial->task;
    info.part = partial->part;
    info.parts = partial->parts;
    info.updates = partial->updates;
    info.num_samples = partial->num_samples;
    info.roster = partial->roster;
    info.reports = partial->reports;
  } else {
    info.kind = TransferKind::kModel;
  }
  Feed(agg_event::UploadOffered{info});
}

absl::StatusOr<Manifest> AggregatingNode::LayoutOf(const OfferFrame& offer) const {
  if (!manifest_) return absl::FailedPreconditionError("there is no model yet");
  const auto* partial = std::get_if<PartialHeader>(&offer.header);
  if (partial == nullptr || partial->mean) return UpdateManifest(*manifest_);
  if (!WorksInPasses()) return PartialManifest(*manifest_);
  const auto open = buckets_.find(BucketKey{0, partial->base});
  if (open != buckets_.end()) return open->second.sums->PartialLayout();
  return absl::FailedPreconditionError("nothing is asked about " + ToString(partial->base));
}

absl::Status AggregatingNode::CheckManifest(const OfferFrame& offer) const {
  SKEIN_ASSIGN_OR_RETURN(const Manifest expected, LayoutOf(offer));
  SKEIN_RETURN_IF_ERROR(expected.ExpectSame(offer.manifest));
  const auto* partial = std::get_if<PartialHeader>(&offer.header);
  if (partial != nullptr && partial->mean && !parts_.fold->TakesSubtrees()) {
    return absl::InvalidArgumentError("its partial is a mean, of which the fold can make no use");
  }
  if (!offer.encoding) return absl::OkStatus();
  return codecs_->CheckPayload(offer.encoding->form, offer.encoding->bytes, offer.manifest);
}

absl::StatusOr<PackedTensors> AggregatingNode::Decode(const OfferFrame& offer,
                                                      const PackedTensors& staged) const {
  if (!offer.encoding) return staged;
  return codecs_->Find(offer.encoding->form)
      ->Decode(staged.bytes(), offer.manifest, *services_.memory.buffers);
}

void AggregatingNode::OnChildEvaluated(const NodeId& child, const EvalReportFrame& report) {
  // The core decides whether it counts; it does if the roster has grown.
  const bool open = core_ && core_->IsAwaited(child, report.round, report.version);
  if (open) {
    evaluation_.Merge({report.num_samples, 0, report.metrics});
  }
  Feed(agg_event::ChildEvaluated{child, report.round, report.version, report.roster});
}

// ---- the core's decisions ----

void AggregatingNode::Feed(const AggregatorEvent& event) {
  if (!core_ || ended()) return;
  for (const AggregatorAction& action : core_->Handle(event, Now())) {
    if (ended()) return;
    std::visit([this](const auto& a) { Do(a); }, action);
  }
}

void AggregatingNode::Do(const agg_action::Welcome& a) { downlinks_->Welcome(a.child, a.epoch); }
void AggregatingNode::Do(const agg_action::Refuse& a) {
  downlinks_->Refuse(a.child, a.epoch, a.why);
}
void AggregatingNode::Do(const agg_action::SendTask& a) {
  Task task = a.task;
  task.policies = policies_;
  downlinks_->Send(a.child, std::move(task));
}
void AggregatingNode::Do(const agg_action::SendCancel& a) { downlinks_->Send(a.child, a.cancel); }
void AggregatingNode::Do(const agg_action::SendCommitted& a) {
  downlinks_->Send(a.child, a.committed);
}
void AggregatingNode::Do(const agg_action::Grant& a) {
  Downlinks::BeginIntake begin;
  if (a.early) {
    begin = [this](const OfferFrame& offer, const PackedTensors& block) {
      return BeginIntake(offer, block);
    };
  }
  downlinks_->Grant(a.id, begin);
}
void AggregatingNode::Do(const agg_action::Acknowledge& a) {
  downlinks_->Acknowledge(a.id, a.status);
}
void AggregatingNode::Do(const agg_action::Report& a) { NodeShell::Report(a.event); }

void AggregatingNode::Do(const agg_action::OfferModel& a) {
  const bool question = a.version.pass > 0;
  const ModelHeader header{a.version, question ? NumericPlan{} : numeric_};
  if (const auto encoded = encoded_.find(a.version); encoded != encoded_.end()) {
    downlinks_->OfferModel(a.child, header, encoded->second);
  } else if (const Model* model = FindModel(a.version)) {
    downlinks_->OfferModel(a.child, header, {*model});
  }
}

void AggregatingNode::Do(const agg_action::WakeAt& a) {
  LaterAt(a.when, [this] { Feed(agg_event::Tick{}); });
}

void AggregatingNode::Do(const agg_action::BeginTask&) {
  LetGo();
  DropOldModels();  // questions of another attempt
  buckets_.clear();
  evaluation_ = {};
}

void AggregatingNode::Do(const agg_action::OpenBucket& a) {
  auto [it, fresh] = buckets_.try_emplace(a.key);
  if (!fresh) return;
  Bucket& bucket = it->second;
  if (a.key.base.pass > 0 && kept_) {
    bucket = *std::exchange(kept_, std::nullopt);
    const Model* question = FindModel(a.key.base);
    if (question != nullptr && parts_.answers_passes) {
      bucket.asked = bucket.sums->BeginPass(question->tensors());
    }
    return;
  }
  bucket.sums = NewSums();
}

std::unique_ptr<Accumulator> AggregatingNode::NewSums() const {
  // Only float16 made wider than any manifest may be is refused, and then sums would be, too.
  const absl::StatusOr<Manifest> means = ManifestOfMeans();
  const Manifest& model = means.ok() ? *means : *manifest_;
  const std::shared_ptr<BufferPool>& buffers = services_.memory.buffers;
  if (WorksInPasses()) {
    return parts_.fold->NewPassAccumulator(model, numeric_, view_.num_workers, buffers);
  }
  return parts_.fold->NewAccumulator(model, numeric_, buffers);
}

void AggregatingNode::Do(const agg_action::DropBucket& a) { buckets_.erase(a.key); }

absl::StatusOr<AggregatingNode::Bucket> AggregatingNode::TakeBucket(
    const agg_action::Bucket& closed) {
  Bucket taken;
  for (const agg_action::Lot& lot : closed.lots) {
    auto node = buckets_.extract(BucketKey{lot.number, closed.base});
    if (node.empty()) continue;
    Bucket& bucket = node.mapped();
    taken.tally.Merge(bucket.tally);
    if (taken.sums == nullptr) {
      taken.sums = std::move(bucket.sums);
      taken.members = std::move(bucket.members);
      continue;
    }
    SKEIN_ASSIGN_OR_RETURN(Partial partial, bucket.sums->TakePartial());
    PartialHeader header;
    header.base = closed.base;
    header.total_weight = partial.total_weight;
    header.scalars = std::move(partial.scalars);
    header.roster = lot.roster;
    header.updates = lot.updates;
    header.contributions = bucket.tally.contributions;
    SKEIN_RETURN_IF_ERROR(taken.sums->Merge(header, partial.sums));
  }
  if (taken.sums == nullptr) {
    return absl::InternalError("nothing was collected for " + ToString(closed.base));
  }
  return taken;
}

void AggregatingNode::Tally::Merge(const Tally& other) {
  num_samples += other.num_samples;
  contributions += other.contributions;
  metrics.Merge(other.metrics);
}

void AggregatingNode::Do(const agg_action::Fold& a) {
  Feed(agg_event::UploadFolded{a.info.id, FoldUpload(a.info)});
}

absl::StatusOr<std::unique_ptr<Intake>> AggregatingNode::BeginIntake(const OfferFrame& offer,
                                                                     const PackedTensors& block) {
  Accumulator& sums = *buckets_.at(BucketKey{0, BaseOf(offer)}).sums;
  if (auto* partial = std::get_if<PartialHeader>(&offer.header)) {
    if (partial->mean) return nullptr;
    return sums.Begin(*partial, block);
  }
  if (!parts_.filters.empty()) return nullptr;  // a filter wants to see the whole update first
  return sums.Begin(std::get<UpdateHeader>(offer.header), block);
}

absl::Status AggregatingNode::FoldUpload(const UploadInfo& info) {
  const OfferFrame* offer = downlinks_->Offer(info.id);
  if (offer == nullptr) return absl::UnavailableError("the link broke");
  InboundTransfer& staged = *downlinks_->Staged(info.id);
  Bucket& bucket = buckets_.at(BucketKey{info.lot, info.base});
  if (staged.folds()) {
    SKEIN_RETURN_IF_ERROR(staged.CompleteFold());
  } else {
    SKEIN_ASSIGN_OR_RETURN(PackedTensors tensors, Decode(*offer, staged.tensors()));
    SKEIN_RETURN_IF_ERROR(FoldWhole(*offer, std::move(tensors), *bucket.sums));
  }
  Tally tally;
  if (auto* partial = std::get_if<PartialHeader>(&offer->header)) {
    tally = {partial->num_samples, partial->Contributions(), partial->metrics};
  } else {
    const auto& update = std::get<UpdateHeader>(offer->header);
    tally = {update.num_samples, 1, {}};
    tally.metrics.Add(update.metrics, update.num_samples);
  }
  if (info.base.pass == 0) bucket.tally.Merge(tally);
  if (parts_.collects || (leads_passes_ && info.base.pass == 0)) {
    bucket.members.push_back({info.roster, info.updates, std::move(tally)});
  }
  return absl::OkStatus();
}

absl::Status AggregatingNode::FoldWhole(const OfferFrame& offer, PackedTensors tensors,
                                        Accumulator& sums) {
  if (auto* partial = std::get_if<PartialHeader>(&offer.header)) {
    return partial->mean ? sums.AddSubtree(tensors, partial->total_weight)
                         : sums.Merge(*partial, tensors);
  }
  const auto& header = std::get<UpdateHeader>(offer.header);
  for (const auto& filter : parts_.filters) {
    SKEIN_ASSIGN_OR_RETURN(tensors, filter->Apply(header, std::move(tensors)));
  }
  return sums.Add(header, tensors);
}

void AggregatingNode::Do(const agg_action::CloseFold& a) {
  Rejoin(a);
  if (leads_passes_) {
    const absl::StatusOr<bool> more = AskMore(a);
    if (!more.ok()) return CannotDeliver(a.task, more.status());
    if (*more) return;
    SendReport();  // the bytes of the passes, with the round that they are of
  }
  if (a.into == agg_action::CloseFold::Into::kLocalModel) return MakeLocalModel(a);
  if (absl::Status status = DeliverFold(a); !status.ok()) CannotDeliver(a.task, status);
}

void AggregatingNode::Rejoin(const agg_action::CloseFold& close) {
  if (close.asked.pass == 0) return;
  auto bucket = buckets_.extract(BucketKey{0, close.asked});
  if (bucket.empty()) return;
  bucket.key() = BucketKey{0, close.buckets.front().base};
  buckets_.insert(std::move(bucket));
}

absl::StatusOr<bool> AggregatingNode::AskMore(const agg_action::CloseFold& close) {
  const auto open = buckets_.find(BucketKey{0, close.buckets.front().base});
  if (open == buckets_.end()) return absl::InternalError("the contributions are gone");
  if (close.begins_anew) {
    Bucket& bucket = open->second;
    bucket.sums->RestartPasses(close.roster);
    bucket.tally = {};
    for (const Member& member : bucket.members) {
      if (member.roster.IsSubsetOf(close.roster)) bucket.tally.Merge(member.tally);
    }
  }
  SKEIN_ASSIGN_OR_RETURN(std::optional<PackedTensors> question, open->second.sums->NextPass());
  if (!question) return false;
  Keep(std::move(open->second));
  buckets_.erase(open);
  models_.insert_or_assign(close.next_question, Model::OfModel(*std::move(question)));
  Feed(agg_event::PassBegun{close.next_question});
  DropOldModels();
  return true;
}

void AggregatingNode::CannotDeliver(const Task& task, const absl::Status& why) {
  const std::string reason = "'" + id() + "': " + Message(why);
  DeliverFailure(task, reason);
  const bool in_rounds = view_.tier > 0 && parts_.policy->has_barrier();
  if (!in_rounds) return Feed(agg_event::Delivered{});
  Feed(agg_event::Cancelled{task.round, reason});
}

absl::StatusOr<PackedTensors> AggregatingNode::FinishLocalRound(const agg_action::CloseFold& close,
                                                                Accumulator& sums) {
  SKEIN_ASSIGN_OR_RETURN(const PackedTensors model, WholeModel(close.base));
  return FinishPlainly(model, sums);
}

absl::StatusOr<PackedTensors> AggregatingNode::FinishPlainly(const PackedTensors& base,
                                                             Accumulator& sums) {
  SKEIN_ASSIGN_OR_RETURN(auto optimizer,
                         services_.strategies->optimizers.Create(PartSpec{"sgd", {}}));
  return sums.Finish(base, *optimizer);
}

void AggregatingNode::MakeLocalModel(const agg_action::CloseFold& close) {
  // Sums of every local round would add up.
  absl::StatusOr<Bucket> bucket = TakeBucket(close.buckets.front());
  absl::StatusOr<PackedTensors> local =
      bucket.ok() ? FinishLocalRound(close, *bucket->sums) : bucket.status();
  Model made;
  absl::Status status = local.status();
  if (status.ok()) {
    made = Model::OfModel(*std::move(local));
    status = EncodeForChildren(close.made, made, std::nullopt);
  }
  if (!status.ok()) return CannotDeliver(close.task, status);
  models_.insert_or_assign(close.made, std::move(made));
  Feed(agg_event::LocalModelMade{close.made});
  DropOldModels();
}

absl::Status AggregatingNode::EncodeForChildren(const VersionRef& version, const Model& model,
                                                const std::optional<OutboundTensors>& payload) {
  if (!encoder_) return absl::OkStatus();
  SKEIN_ASSIGN_OR_RETURN(ModelForChildren encoded, encoder_->Encode(version, model, payload));
  encoded_.insert_or_assign(version, std::move(encoded));
  return absl::OkStatus();
}

void AggregatingNode::Do(const agg_action::DeliverEvaluation& a) { DeliverEvaluation(a); }

void AggregatingNode::Do(const agg_action::Abandon& a) { DeliverFailure(a.task, a.reason); }

// ---- models ----

void AggregatingNode::AddModel(const VersionRef& version, Model model,
                               const std::optional<OutboundTensors>& payload) {
  core_->set_staging_bytes(StagingBytes(config_.limits, model.tensors().bytes().size()));
  if (!manifest_) manifest_ = model.tensors().manifest();
  if (const absl::Status encoded = EncodeForChildren(version, model, payload); !encoded.ok()) {
    return Fail(Annotate(encoded, "the model, on its way down"));
  }
  models_.insert_or_assign(version, std::move(model));
  Feed(agg_event::ModelArrived{version});
  DropOldModels();
}

void AggregatingNode::AddQuestion(const VersionRef& version, Model question) {
  models_.insert_or_assign(version, std::move(question));
  Feed(agg_event::ModelArrived{version});
  DropOldModels();
}

void AggregatingNode::DropModel(const VersionRef& version) {
  models_.erase(version);
  Feed(agg_event::ModelLost{version});
}

// Downloads that are under way hold on to theirs.
void AggregatingNode::DropOldModels() {
  std::erase_if(models_, [this](const auto& entry) {
    const auto& known = core_->models();
    return std::find(known.begin(), known.end(), entry.first) == known.end();
  });
  std::erase_if(encoded_, [this](const auto& entry) { return !models_.contains(entry.first); });
}

absl::StatusOr<PackedTensors> AggregatingNode::WholeModel(const VersionRef& version) const {
  const Model* model = FindModel(version);
  if (model != nullptr && model->whole()) return model->tensors();
  return absl::UnavailableError(ToString(version) + " has not arrived");
}

void AggregatingNode::RestMemory() {
  const bool large = manifest_ && manifest_->total_bytes() >= kLargeModel;
  if (large) services_.memory.buffers->Trim();
}

const AggregatingNode::Model* AggregatingNode::FindModel(const VersionRef& version) const {
  auto it = models_.find(version);
  return it == models_.end() ? nullptr : &it->second;
}

}  // namespace skein
