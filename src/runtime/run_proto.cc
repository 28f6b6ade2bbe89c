#include "runtime/run_proto.h"

#include <string>
#include <utility>

#include "runtime/value_proto.h"
#include "skein/base/status.h"
#include "transport/wire_text.h"

namespace skein {
namespace {

absl::Status Bad(const std::string& field, const std::string& why) {
  return absl::InvalidArgumentError(field + ": " + why);
}

void Fill(const LinkSpec::Codecs& codecs, v1::Codecs* (v1::LinkSpec::*field)(), v1::LinkSpec& out) {
  if (!codecs) return;
  v1::Codecs* stages = (out.*field)();
  for (const PartSpec& codec : *codecs) *stages->add_stages() = ToProto(codec);
}

v1::LinkSpec LinkToProto(const LinkSpec& link) {
  v1::LinkSpec proto;
  Fill(link.updates, &v1::LinkSpec::mutable_updates, proto);
  Fill(link.partials, &v1::LinkSpec::mutable_partials, proto);
  Fill(link.models, &v1::LinkSpec::mutable_models, proto);
  return proto;
}

LinkSpec::Codecs CodecsFromProto(bool has, const v1::Codecs& proto) {
  if (!has) return std::nullopt;
  std::vector<PartSpec> codecs;
  for (const v1::Part& stage : proto.stages()) codecs.push_back(FromProto(stage));
  return codecs;
}

LinkSpec LinkFromProto(const v1::LinkSpec& proto) {
  return {CodecsFromProto(proto.has_updates(), proto.updates()),
          CodecsFromProto(proto.has_partials(), proto.partials()),
          CodecsFromProto(proto.has_models(), proto.models())};
}

v1::Strategy StrategyToProto(const StrategySpec& spec) {
  v1::Strategy proto;
  *proto.mutable_fold() = ToProto(spec.fold);
  *proto.mutable_optimizer() = ToProto(spec.optimizer);
  *proto.mutable_selector() = ToProto(spec.selector);
  *proto.mutable_policy() = ToProto(spec.policy);
  *proto.mutable_staleness() = ToProto(spec.staleness);
  *proto.mutable_mixing() = ToProto(spec.mixing);
  for (const PartSpec& filter : spec.filters) *proto.add_filters() = ToProto(filter);
  for (const PartSpec& term : spec.terms) *proto.add_terms() = ToProto(term);
  *proto.mutable_links() = LinkToProto(spec.links);
  for (const TierSpec& tier : spec.tiers) {
    v1::TierSpec* out = proto.add_tiers();
    out->set_tier(tier.tier);
    if (tier.policy.has_value()) *out->mutable_policy() = ToProto(*tier.policy);
    if (tier.fold.has_value()) *out->mutable_fold() = ToProto(*tier.fold);
    out->set_kappa(tier.kappa);
    out->set_collect(tier.collect);
    out->set_passes(tier.passes);
    *out->mutable_link() = LinkToProto(tier.link);
  }
  return proto;
}

absl::StatusOr<StrategySpec> StrategyFromProto(const v1::Strategy& proto) {
  StrategySpec spec;
  spec.fold = FromProto(proto.fold());
  spec.optimizer = FromProto(proto.optimizer());
  spec.selector = FromProto(proto.selector());
  spec.policy = FromProto(proto.policy());
  spec.staleness = FromProto(proto.staleness());
  spec.mixing = FromProto(proto.mixing());
  for (const v1::Part& filter : proto.filters()) spec.filters.push_back(FromProto(filter));
  for (const v1::Part& term : proto.terms()) spec.terms.push_back(FromProto(term));
  spec.links = LinkFromProto(proto.links());
  if (proto.tiers_size() > Topology::kMaxDepth) return Bad("strategy.tiers", "too many");
  for (const v1::TierSpec& in : proto.tiers()) {
    TierSpec tier;
    tier.tier = in.tier();
    if (in.has_policy()) tier.policy = FromProto(in.policy());
    if (in.has_fold()) tier.fold = FromProto(in.fold());
    tier.kappa = in.kappa();
    if (tier.kappa < 1) return Bad("strategy.tiers.kappa", "must be at least 1");
    tier.collect = in.collect();
    tier.passes = in.passes();
    tier.link = LinkFromProto(in.link());
    spec.tiers.push_back(std::move(tier));
  }
  return spec;
}

absl::StatusOr<RuntimeLimits> LimitsFromProto(const v1::RuntimeLimits& proto) {
  if (proto.heartbeat_interval_ns() <= 0) {
    return Bad("limits.heartbeat_interval", "must be positive");
  }
  for (const int64_t duration : {proto.heartbeat_timeout_ns(), proto.start_timeout_ns(),
                                 proto.upload_stall_timeout_ns(), proto.cancel_grace_ns()}) {
    if (duration < 0) return Bad("limits", "a duration is negative");
  }
  RuntimeLimits limits;
  limits.heartbeat_interval = Duration(proto.heartbeat_interval_ns());
  limits.heartbeat_timeout = Duration(proto.heartbeat_timeout_ns());
  limits.start_timeout = Duration(proto.start_timeout_ns());
  limits.upload_stall_timeout = Duration(proto.upload_stall_timeout_ns());
  limits.cancel_grace = Duration(proto.cancel_grace_ns());
  limits.staging_bytes = proto.staging_bytes();
  return limits;
}

absl::Status CheckLeaves(uint64_t begin, uint64_t end, uint64_t num_workers, const NodeId& node) {
  if (begin < end && end <= num_workers) return absl::OkStatus();
  return Bad("view", "the leaves of node '" + node + "' are out of range");
}

}  // namespace

v1::Part ToProto(const PartSpec& part) {
  v1::Part proto;
  proto.set_name(WireText(part.name));
  *proto.mutable_params() = ToProto(part.params);
  return proto;
}

PartSpec FromProto(const v1::Part& proto) { return {proto.name(), FromProto(proto.params())}; }

bool IsRole(v1::NodeRole role) {
  return role == v1::NODE_ROLE_COORDINATOR || role == v1::NODE_ROLE_AGGREGATOR ||
         role == v1::NODE_ROLE_WORKER;
}

absl::Status CheckNodeId(const std::string& text, const char* field) {
  if (text.empty()) return Bad(field, "is empty");
  if (text.size() > Topology::kMaxIdBytes) return Bad(field, "is too long for a node's id");
  return absl::OkStatus();
}

v1::RunConfig ToProto(const RunConfig& config) {
  v1::RunConfig proto;
  proto.set_run_id(WireText(config.run_id));
  proto.set_name(WireText(config.name));
  *proto.mutable_learner() = ToProto(config.learner);
  *proto.mutable_data() = ToProto(config.data);
  *proto.mutable_strategy() = StrategyToProto(config.strategy);
  proto.set_rounds(config.rounds);
  proto.set_seed(config.seed);
  proto.mutable_evaluate()->set_coordinator(config.evaluate.coordinator);
  proto.mutable_evaluate()->set_workers(config.evaluate.workers);
  proto.mutable_evaluate()->set_every(config.evaluate.every);
  proto.set_init(WireText(config.init));
  proto.set_output_dir(WireText(config.output_dir));
  proto.set_worker_state(WireText(config.worker_state));
  v1::RuntimeLimits* limits = proto.mutable_limits();
  limits->set_heartbeat_interval_ns(config.limits.heartbeat_interval.count());
  limits->set_heartbeat_timeout_ns(config.limits.heartbeat_timeout.count());
  limits->set_start_timeout_ns(config.limits.start_timeout.count());
  limits->set_upload_stall_timeout_ns(config.limits.upload_stall_timeout.count());
  limits->set_cancel_grace_ns(config.limits.cancel_grace.count());
  limits->set_staging_bytes(config.limits.staging_bytes);
  *proto.mutable_conditions() = ToProto(ToValues(config.conditions));
  return proto;
}

absl::StatusOr<RunConfig> FromProto(const v1::RunConfig& proto) {
  RunConfig config;
  config.run_id = proto.run_id();
  config.name = proto.name();
  if (config.run_id.empty()) return Bad("run_id", "is empty");
  config.learner = FromProto(proto.learner());
  config.data = FromProto(proto.data());
  SKEIN_ASSIGN_OR_RETURN(config.strategy, StrategyFromProto(proto.strategy()));
  config.rounds = proto.rounds();
  config.seed = proto.seed();
  config.evaluate = {proto.evaluate().coordinator(), proto.evaluate().workers(),
                     proto.evaluate().every()};
  config.init = proto.init();
  config.output_dir = proto.output_dir();
  config.worker_state = proto.worker_state();
  SKEIN_ASSIGN_OR_RETURN(config.limits, LimitsFromProto(proto.limits()));
  SKEIN_ASSIGN_OR_RETURN(config.conditions, ConditionsFromValues(FromProto(proto.conditions())));
  return config;
}

v1::NodeView ToProto(const NodeView& view) {
  v1::NodeView proto;
  proto.set_id(WireText(view.id));
  proto.set_role(static_cast<v1::NodeRole>(view.role));
  proto.set_tier(view.tier);
  proto.set_num_tiers(view.num_tiers);
  proto.set_leaf_begin(view.leaf_begin);
  proto.set_leaf_end(view.leaf_end);
  proto.set_num_workers(view.num_workers);
  for (const NodeView::Child& child : view.children) {
    v1::NodeView::Child* out = proto.add_children();
    out->set_id(WireText(child.id));
    out->set_role(static_cast<v1::NodeRole>(child.role));
    out->set_leaf_begin(child.leaf_begin);
    out->set_leaf_end(child.leaf_end);
  }
  *proto.mutable_attributes() = ToProto(view.attributes);
  return proto;
}

absl::StatusOr<NodeView> FromProto(const v1::NodeView& proto) {
  NodeView view;
  view.id = proto.id();
  SKEIN_RETURN_IF_ERROR(CheckNodeId(view.id, "view.id"));
  if (!IsRole(proto.role())) return Bad("view.role", "is unknown");
  view.role = static_cast<NodeRole>(proto.role());
  view.tier = proto.tier();
  view.num_tiers = proto.num_tiers();
  if (view.num_tiers < 1 || view.num_tiers > Topology::kMaxDepth + 1 || view.tier < 0 ||
      view.tier >= view.num_tiers) {
    return Bad("view.tier", "is out of range");
  }
  view.num_workers = proto.num_workers();
  if (view.num_workers > Topology::kMaxNodes) return Bad("view.num_workers", "is too large");
  view.leaf_begin = proto.leaf_begin();
  view.leaf_end = proto.leaf_end();
  SKEIN_RETURN_IF_ERROR(CheckLeaves(view.leaf_begin, view.leaf_end, view.num_workers, view.id));
  for (const v1::NodeView::Child& in : proto.children()) {
    SKEIN_RETURN_IF_ERROR(CheckNodeId(in.id(), "view.children.id"));
    if (!IsRole(in.role())) return Bad("view.children.role", "is unknown");
    SKEIN_RETURN_IF_ERROR(CheckLeaves(in.leaf_begin(), in.leaf_end(), view.num_workers, in.id()));
    view.children.push_back(
        {in.id(), static_cast<NodeRole>(in.role()), in.leaf_begin(), in.leaf_end()});
  }
  view.attributes = FromProto(proto.attributes());
  return view;
}

}  // namespace skein
