#include "simulation/core_parent.h"

#include <algorithm>
#include <utility>

#include "runtime/make_core.h"
#include "skein/base/status.h"
#include "skein/strategy/strategy_spec.h"
#include "skein/tensor/chunk_codec.h"

namespace skein {
CoreParent::CoreParent(CoreWorld* world, size_t node, std::vector<CoreChild*> children)
    : world_(world), parent_node_(node), children_(std::move(children)) {
  links_.traffic = &world_->traffic[static_cast<size_t>(world_->topology->node(node).tier)];
}

absl::Status CoreParent::Assign(const NodeView& view) {
  const RunConfig& config = world_->config;
  SKEIN_ASSIGN_OR_RETURN(const TierParts parts, MakeTierParts(config.strategy, view.tier,
                                                              view.num_tiers, *world_->strategies));
  collects_ = parts.collects;
  core_ = MakeAggregatorCore(view, parts, config.limits);
  core_->set_staging_bytes(StagingBytes(config.limits, world_->sizes.model_bytes));
  if (const LinkConditions* links = world_->conditions->LinksOf(view.tier)) {
    links_.shape.emplace(*links);
  }
  return absl::OkStatus();
}

void CoreParent::Feed(const AggregatorEvent& event) {
  if (core_ == nullptr) return;
  for (const AggregatorAction& action : core_->Handle(event, world_->Now())) {
    std::visit([this](const auto& a) { Do(a); }, action);
  }
}

// Children of a node follow each other in breadth-first order.
CoreChild& CoreParent::Child(const NodeId& id) {
  const std::vector<size_t>& nodes = world_->topology->node(parent_node_).children;
  return *children_[*world_->topology->Find(id) - nodes.front()];
}

void CoreParent::SendDown(CoreChild& child, uint64_t bytes, std::function<void()> arrive) {
  child.link().Carry(*world_->simulation, CoreLink::kDown, {bytes, 1}, std::move(arrive));
}

// ---- the core's decisions ----

void CoreParent::Do(const agg_action::Welcome& a) {
  CoreChild& child = Child(a.child);
  SendDown(child, world_->sizes.welcome, [&child] { child.OnWelcome(); });
}

void CoreParent::Do(const agg_action::Refuse& a) {
  CoreChild& child = Child(a.child);
  if (child.epoch() == a.epoch) child.link().Cut();  // until the control plane attaches it anew
}

void CoreParent::Do(const agg_action::SendTask& a) {
  CoreChild& child = Child(a.child);
  SendDown(child, world_->sizes.task, [&child, task = a.task] { child.OnTask(task); });
}

void CoreParent::Do(const agg_action::OfferModel& a) {
  const auto known = whole_at_.find(a.version);
  if (known == whole_at_.end()) return;
  CoreChild& child = Child(a.child);
  // It is sent even if it is superseded before it is asked for.
  SendDown(child, world_->sizes.model_offer,
           [this, &child, version = a.version, whole_at = known->second] {
             if (child.HasModel(version)) return;
             child.link().Carry(
                 *world_->simulation, CoreLink::kUp, {world_->sizes.grant, 1},
                 [this, &child, version, whole_at] { SendModel(child, version, whole_at); });
           });
}

// Cut through: what is sent may still be arriving here, and is not ahead of that. A child that
// sends it on does so from the first chunk on.
void CoreParent::SendModel(CoreChild& child, const VersionRef& version, Time whole_here_at) {
  Simulation& simulation = *world_->simulation;
  WireCost rest = world_->sizes.model;
  auto whole_at = std::make_shared<Time>(kNever);
  if (child.forwards_models()) {
    const WireCost first{std::min(rest.bytes, kDefaultChunkBytes), 1};
    rest = {rest.bytes - first.bytes, rest.frames - 1};
    child.link().Carry(simulation, CoreLink::kDown, first,
                       [&child, version, whole_at] { child.OnModelBegun(version, *whole_at); });
  }
  *whole_at = child.link().Carry(
      simulation, CoreLink::kDown, rest, [&child, version] { child.OnModel(version); },
      whole_here_at);
}

void CoreParent::Do(const agg_action::SendCancel& a) {
  CoreChild& child = Child(a.child);
  SendDown(child, world_->sizes.cancel, [&child, cancel = a.cancel] { child.OnCancel(cancel); });
}

void CoreParent::Do(const agg_action::SendCommitted& a) {
  CoreChild& child = Child(a.child);
  SendDown(child, world_->sizes.committed,
           [&child, committed = a.committed] { child.OnCommitted(committed); });
}

void CoreParent::Do(const agg_action::BeginTask&) {
  samples_.clear();
  collected_.clear();
}

void CoreParent::Do(const agg_action::Grant& a) {
  CoreChild& child = Child(a.id.child);
  SendDown(child, world_->sizes.grant,
           [&child, transfer = a.id.transfer] { child.OnGrant(transfer); });
}

void CoreParent::Do(const agg_action::Fold& a) {
  samples_[{a.info.lot, a.info.base}] += a.info.num_samples;
  if (collects_) collected_.push_back(a.info);
  Feed(agg_event::UploadFolded{a.info.id, absl::OkStatus()});
}

void CoreParent::Do(const agg_action::Acknowledge& a) {
  CoreChild& child = Child(a.id.child);
  if (child.epoch() != a.id.epoch) return;
  SendDown(child, world_->sizes.ack, [&child, transfer = a.id.transfer, status = a.status] {
    child.OnAnswer(transfer, status);
  });
}

void CoreParent::Do(const agg_action::CloseFold& a) {
  if (a.into != agg_action::CloseFold::Into::kLocalModel) return Deliver(a);
  samples_.clear();
  whole_at_[a.made] = world_->Now();
  Feed(agg_event::LocalModelMade{a.made});
  DropOldModels();
}

void CoreParent::Do(const agg_action::Abandon& a) { DeliverFailure(a.task, a.reason); }
void CoreParent::Do(const agg_action::Report& a) { world_->control->Report(parent_node_, a.event); }
void CoreParent::Do(const agg_action::WakeAt& a) {
  world_->simulation->At(a.when, [this] { Feed(agg_event::Tick{}); });
}

// ---- models ----

void CoreParent::AddModel(const VersionRef& version, Time whole_at) {
  whole_at_[version] = whole_at;
  Feed(agg_event::ModelArrived{version});
  DropOldModels();
}

void CoreParent::DropOldModels() {
  std::erase_if(whole_at_, [this](const auto& entry) {
    const auto& known = core_->models();
    return std::find(known.begin(), known.end(), entry.first) == known.end();
  });
}

uint64_t CoreParent::TakeSamples(const agg_action::Bucket& closed) {
  uint64_t samples = 0;
  for (const agg_action::Lot& lot : closed.lots) {
    const auto node = samples_.extract(BucketKey{lot.number, closed.base});
    if (!node.empty()) samples += node.mapped();
  }
  return samples;
}

}  // namespace skein
