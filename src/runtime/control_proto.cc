#include "runtime/control_proto.h"

#include <cmath>
#include <string>
#include <utility>

#include "runtime/run_proto.h"
#include "runtime/value_proto.h"
#include "skein/base/status.h"
#include "transport/frame_limits.h"
#include "transport/tensor_proto.h"
#include "transport/wire_text.h"

namespace skein {
namespace {

constexpr size_t kMaxAddressBytes = 1024;
constexpr size_t kMaxDigestBytes = 128;
constexpr int kMaxCode = static_cast<int>(absl::StatusCode::kUnauthenticated);

using ProtoMetrics = google::protobuf::Map<std::string, double>;

void FillMetrics(const std::map<std::string, double>& metrics, ProtoMetrics& out) {
  for (const auto& [name, value] : metrics) out[WireText(name, kMaxMetricNameBytes)] = value;
}

absl::StatusOr<std::map<std::string, double>> ReadMetrics(const ProtoMetrics& proto) {
  SKEIN_RETURN_IF_ERROR(CheckMetricCount(proto.size(), "metrics"));
  std::map<std::string, double> metrics;
  for (const auto& [name, value] : proto) {
    SKEIN_RETURN_IF_ERROR(CheckMetricName(name, "metric"));
    metrics[name] = value;
  }
  return metrics;
}

absl::Status CheckLength(const std::string& text, size_t limit, const char* field) {
  if (text.size() <= limit) return absl::OkStatus();
  return absl::InvalidArgumentError(std::string(field) + ": is longer than " +
                                    std::to_string(limit) + " bytes");
}

absl::Status CheckOutcome(int code, const std::string& message) {
  if (code < 0 || code > kMaxCode) return absl::InvalidArgumentError("code: is no status code");
  return CheckLength(message, kMaxTextBytes, "message");
}

v1::StrategyChange ToChange(const StrategyChange& change) {
  v1::StrategyChange proto;
  proto.set_number(change.number);
  if (change.optimizer) *proto.mutable_optimizer() = ToProto(*change.optimizer);
  for (const auto& [tier, policy] : change.policies) {
    v1::TierSpec* out = proto.add_policies();
    out->set_tier(tier);
    *out->mutable_policy() = ToProto(policy);
  }
  return proto;
}

absl::StatusOr<StrategyChange> FromChange(const v1::StrategyChange& proto) {
  StrategyChange change;
  change.number = proto.number();
  if (proto.has_optimizer()) change.optimizer = FromProto(proto.optimizer());
  if (proto.policies_size() > Topology::kMaxDepth) {
    return absl::InvalidArgumentError("change.policies: too many");
  }
  for (const v1::TierSpec& in : proto.policies()) {
    change.policies[in.tier()] = FromProto(in.policy());
  }
  return change;
}

// ---- node to control plane ----

void Fill(const RegisterMsg& m, v1::NodeMessage& out) {
  v1::Register* proto = out.mutable_register_();
  proto->set_node(WireText(m.node));
  proto->set_incarnation(m.incarnation);
  proto->set_address(WireText(m.address));
  proto->set_pid(m.pid);
  proto->set_protocol(kControlProtocol);
  if (m.role) proto->set_role(static_cast<v1::NodeRole>(*m.role));
  proto->set_run(WireText(m.run));
}
void Fill(const EnlistMsg& m, v1::NodeMessage& out) {
  v1::Enlist* proto = out.mutable_enlist();
  for (const NodeId& node : m.nodes) proto->add_nodes(WireText(node));
  proto->set_protocol(kControlProtocol);
  if (m.role) proto->set_role(static_cast<v1::NodeRole>(*m.role));
}
void Fill(const NodeEndedMsg& m, v1::NodeMessage& out) {
  v1::NodeEnded* proto = out.mutable_node_ended();
  proto->set_run(WireText(m.run));
  proto->set_node(WireText(m.node));
  proto->set_code(m.code);
  proto->set_message(WireText(m.message));
}
void Fill(const HeartbeatMsg&, v1::NodeMessage& out) { out.mutable_heartbeat(); }
void Fill(const AttachedMsg& m, v1::NodeMessage& out) {
  out.mutable_attached()->set_epoch(m.epoch);
}
void Fill(const ReportMsg& m, v1::NodeMessage& out) {
  v1::Report* proto = out.mutable_report();
  for (const Event& event : m.events) {
    v1::Event* e = proto->add_events();
    e->set_type(WireText(event.type));
    e->set_round(event.round);
    e->set_node(WireText(event.node));
    *e->mutable_fields() = ToProto(event.fields);
  }
  proto->set_bytes_up(m.bytes_up);
  proto->set_bytes_down(m.bytes_down);
  proto->set_peak_rss_mib(m.peak_rss_mib);
}
void Fill(const RoundResultMsg& m, v1::NodeMessage& out) {
  v1::RoundResult* proto = out.mutable_round_result();
  proto->set_round(m.round);
  proto->set_attempt(m.attempt);
  proto->set_code(m.code);
  proto->set_message(WireText(m.message));
  *proto->mutable_version() = ToProto(m.version);
  proto->set_digest(WireText(m.digest));
  *proto->mutable_roster() = ToProto(m.roster);
  proto->set_num_samples(m.num_samples);
  FillMetrics(m.metrics, *proto->mutable_metrics());
  for (const BaseCount& base : m.bases) {
    v1::BaseCount* out_base = proto->add_bases();
    out_base->set_version(base.version);
    out_base->set_updates(base.updates);
  }
  proto->set_evaluating(m.evaluating);
  proto->set_change(m.change);
  proto->set_weight(m.weight);
  *proto->mutable_reports() = ToProto(m.reports);
}
void Fill(const EvaluatedMsg& m, v1::NodeMessage& out) {
  v1::Evaluated* proto = out.mutable_evaluated();
  proto->set_round(m.round);
  *proto->mutable_version() = ToProto(m.version);
  proto->set_where(WireText(m.where));
  proto->set_code(m.code);
  proto->set_message(WireText(m.message));
  proto->set_num_samples(m.num_samples);
  FillMetrics(m.metrics, *proto->mutable_metrics());
}
void Fill(const ModelReadyMsg& m, v1::NodeMessage& out) {
  *out.mutable_model_ready()->mutable_version() = ToProto(m.version);
  out.mutable_model_ready()->set_digest(WireText(m.digest));
}
void Fill(const FinishedMsg& m, v1::NodeMessage& out) {
  v1::Finished* proto = out.mutable_finished();
  proto->set_code(m.code);
  proto->set_message(WireText(m.message));
  *proto->mutable_version() = ToProto(m.version);
  proto->set_digest(WireText(m.digest));
  proto->set_evaluating(m.evaluating);
}
void Fill(const GoodbyeMsg& m, v1::NodeMessage& out) {
  out.mutable_goodbye()->set_code(m.code);
  out.mutable_goodbye()->set_message(WireText(m.message));
}

absl::Status CheckProtocol(uint32_t theirs) {
  if (theirs == kControlProtocol) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the node speaks control protocol " + std::to_string(theirs) + ", this side " +
      std::to_string(kControlProtocol) + "; use the same release on both");
}

absl::StatusOr<NodeMessage> Read(const v1::Register& proto) {
  SKEIN_RETURN_IF_ERROR(CheckProtocol(proto.protocol()));
  SKEIN_RETURN_IF_ERROR(CheckNodeId(proto.node(), "register.node"));
  SKEIN_RETURN_IF_ERROR(CheckLength(proto.address(), kMaxAddressBytes, "register.address"));
  SKEIN_RETURN_IF_ERROR(CheckLength(proto.run(), kMaxRunIdBytes, "register.run"));
  RegisterMsg m{proto.node(), proto.incarnation(), proto.address(),
                proto.pid(),  std::nullopt,        proto.run()};
  if (IsRole(proto.role())) m.role = static_cast<NodeRole>(proto.role());
  return m;
}
absl::StatusOr<NodeMessage> Read(const v1::Enlist& proto) {
  SKEIN_RETURN_IF_ERROR(CheckProtocol(proto.protocol()));
  if (proto.nodes().empty()) return absl::InvalidArgumentError("enlist.nodes: is empty");
  EnlistMsg m;
  for (const std::string& node : proto.nodes()) {
    SKEIN_RETURN_IF_ERROR(CheckNodeId(node, "enlist.nodes"));
    m.nodes.push_back(node);
  }
  if (IsRole(proto.role())) m.role = static_cast<NodeRole>(proto.role());
  return m;
}
absl::StatusOr<NodeMessage> Read(const v1::NodeEnded& proto) {
  SKEIN_RETURN_IF_ERROR(CheckLength(proto.run(), kMaxRunIdBytes, "node_ended.run"));
  SKEIN_RETURN_IF_ERROR(CheckNodeId(proto.node(), "node_ended.node"));
  SKEIN_RETURN_IF_ERROR(CheckOutcome(proto.code(), proto.message()));
  return NodeEndedMsg{proto.run(), proto.node(), proto.code(), proto.message()};
}
absl::StatusOr<NodeMessage> Read(const v1::Report& proto) {
  ReportMsg m{{}, proto.bytes_up(), proto.bytes_down(), proto.peak_rss_mib()};
  m.events.reserve(static_cast<size_t>(proto.events_size()));
  for (const v1::Event& e : proto.events()) {
    m.events.push_back({0, e.type(), e.round(), e.node(), FromProto(e.fields())});
  }
  return m;
}
absl::StatusOr<NodeMessage> Read(const v1::RoundResult& proto) {
  SKEIN_RETURN_IF_ERROR(CheckOutcome(proto.code(), proto.message()));
  SKEIN_RETURN_IF_ERROR(CheckLength(proto.digest(), kMaxDigestBytes, "round_result.digest"));
  RoundResultMsg m{proto.round(), proto.attempt(), proto.code(), proto.message()};
  m.version = FromProto(proto.version());
  m.digest = proto.digest();
  SKEIN_ASSIGN_OR_RETURN(m.roster, FromProto(proto.roster()));
  m.num_samples = proto.num_samples();
  SKEIN_ASSIGN_OR_RETURN(m.metrics, ReadMetrics(proto.metrics()));
  for (const v1::BaseCount& base : proto.bases()) {
    m.bases.push_back({base.version(), base.updates()});
  }
  m.evaluating = proto.evaluating();
  m.change = proto.change();
  m.weight = proto.weight();
  SKEIN_ASSIGN_OR_RETURN(m.reports, FromProto(proto.reports()));
  if (!std::isfinite(m.weight) || m.weight < 0) {
    return absl::InvalidArgumentError("round_result.weight: is no weight");
  }
  return m;
}
absl::StatusOr<NodeMessage> Read(const v1::Evaluated& proto) {
  SKEIN_RETURN_IF_ERROR(CheckOutcome(proto.code(), proto.message()));
  if (proto.where() != "coordinator" && proto.where() != "workers") {
    return absl::InvalidArgumentError("evaluated.where: is neither 'coordinator' nor 'workers'");
  }
  EvaluatedMsg m{proto.round(), FromProto(proto.version()), proto.where(), proto.code(),
                 proto.message()};
  m.num_samples = proto.num_samples();
  SKEIN_ASSIGN_OR_RETURN(m.metrics, ReadMetrics(proto.metrics()));
  return m;
}
absl::StatusOr<NodeMessage> Read(const v1::ModelReady& proto) {
  SKEIN_RETURN_IF_ERROR(CheckLength(proto.digest(), kMaxDigestBytes, "model_ready.digest"));
  return ModelReadyMsg{FromProto(proto.version()), proto.digest()};
}
absl::StatusOr<NodeMessage> Read(const v1::Finished& proto) {
  SKEIN_RETURN_IF_ERROR(CheckOutcome(proto.code(), proto.message()));
  SKEIN_RETURN_IF_ERROR(CheckLength(proto.digest(), kMaxDigestBytes, "finished.digest"));
  return FinishedMsg{proto.code(), proto.message(), FromProto(proto.version()), proto.digest(),
                     proto.evaluating()};
}
absl::StatusOr<NodeMessage> Read(const v1::Goodbye& proto) {
  SKEIN_RETURN_IF_ERROR(CheckOutcome(proto.code(), proto.message()));
  return GoodbyeMsg{proto.code(), proto.message()};
}

// ---- control plane to node ----

void Fill(const AssignMsg& m, v1::ControlMessage& out) {
  *out.mutable_assign()->mutable_config() = ToProto(m.config);
  *out.mutable_assign()->mutable_view() = ToProto(m.view);
}
void Fill(const AttachMsg& m, v1::ControlMessage& out) {
  out.mutable_attach()->set_parent(WireText(m.parent));
  out.mutable_attach()->set_address(WireText(m.address));
  out.mutable_attach()->set_epoch(m.epoch);
}
void Fill(const ExpectChildMsg& m, v1::ControlMessage& out) {
  out.mutable_expect_child()->set_child(WireText(m.child));
  out.mutable_expect_child()->set_epoch(m.epoch);
}
void Fill(const ChildLostMsg& m, v1::ControlMessage& out) {
  out.mutable_child_lost()->set_child(WireText(m.child));
  out.mutable_child_lost()->set_epoch(m.epoch);
  out.mutable_child_lost()->set_reason(WireText(m.reason));
}
void Fill(const PlanMsg& m, v1::ControlMessage& out) {
  v1::Plan* proto = out.mutable_plan();
  proto->set_round(m.round);
  proto->set_attempt(m.attempt);
  *proto->mutable_base() = ToProto(m.base);
  *proto->mutable_participants() = ToProto(m.participants);
  proto->set_seq_first(m.seq_first);
  proto->set_seq_count(m.seq_count);
  proto->set_last_version(m.last_version);
  if (m.change.number != 0) *proto->mutable_change() = ToChange(m.change);
  proto->set_wants_reports(m.wants_reports);
}
void Fill(const CommitMsg& m, v1::ControlMessage& out) {
  v1::Commit* proto = out.mutable_commit();
  proto->set_round(m.round);
  *proto->mutable_version() = ToProto(m.version);
  proto->set_evaluate_at_coordinator(m.evaluate_at_coordinator);
  proto->set_evaluate_at_workers(m.evaluate_at_workers);
  *proto->mutable_participants() = ToProto(m.participants);
}
void Fill(const StopMsg& m, v1::ControlMessage& out) {
  out.mutable_stop()->set_code(m.code);
  out.mutable_stop()->set_reason(WireText(m.reason));
}
void Fill(const SteerMsg& m, v1::ControlMessage& out) {
  out.mutable_steer()->set_from_version(m.from_version);
  *out.mutable_steer()->mutable_change() = ToChange(m.change);
}
void Fill(const FinishMsg& m, v1::ControlMessage& out) {
  v1::Finish* proto = out.mutable_finish();
  proto->set_evaluate_at_coordinator(m.evaluate_at_coordinator);
  proto->set_evaluate_at_workers(m.evaluate_at_workers);
  *proto->mutable_participants() = ToProto(m.participants);
  proto->set_reason(WireText(m.reason));
}

void Fill(const EnlistedMsg& m, v1::ControlMessage& out) {
  out.mutable_enlisted()->set_run(WireText(m.run));
}
void Fill(const StartNodesMsg& m, v1::ControlMessage& out) {
  v1::StartNodes* proto = out.mutable_start_nodes();
  proto->set_run(WireText(m.run));
  for (const StartNodesMsg::Start& start : m.nodes) {
    v1::StartNodes::Start* node = proto->add_nodes();
    node->set_node(WireText(start.node));
    node->set_role(static_cast<v1::NodeRole>(start.role));
  }
}

void Fill(const NoticeMsg& m, v1::ControlMessage& out) {
  out.mutable_notice()->set_text(WireText(m.text));
}

absl::StatusOr<ControlMessage> Read(const v1::Assign& proto) {
  SKEIN_ASSIGN_OR_RETURN(RunConfig config, FromProto(proto.config()));
  SKEIN_ASSIGN_OR_RETURN(NodeView view, FromProto(proto.view()));
  return AssignMsg{std::move(config), std::move(view)};
}
absl::StatusOr<ControlMessage> Read(const v1::Attach& proto) {
  SKEIN_RETURN_IF_ERROR(CheckNodeId(proto.parent(), "attach.parent"));
  SKEIN_RETURN_IF_ERROR(CheckLength(proto.address(), kMaxAddressBytes, "attach.address"));
  return AttachMsg{proto.parent(), proto.address(), proto.epoch()};
}
absl::StatusOr<ControlMessage> Read(const v1::ExpectChild& proto) {
  SKEIN_RETURN_IF_ERROR(CheckNodeId(proto.child(), "expect_child.child"));
  return ExpectChildMsg{proto.child(), proto.epoch()};
}
absl::StatusOr<ControlMessage> Read(const v1::ChildLost& proto) {
  SKEIN_RETURN_IF_ERROR(CheckNodeId(proto.child(), "child_lost.child"));
  return ChildLostMsg{proto.child(), proto.epoch(), proto.reason()};
}
absl::StatusOr<ControlMessage> Read(const v1::Plan& proto) {
  if (proto.seq_count() == 0) return absl::InvalidArgumentError("plan.seq_count: is 0");
  PlanMsg m{proto.round(), proto.attempt(), FromProto(proto.base())};
  SKEIN_ASSIGN_OR_RETURN(m.participants, FromProto(proto.participants()));
  m.seq_first = proto.seq_first();
  m.seq_count = proto.seq_count();
  m.last_version = proto.last_version();
  SKEIN_ASSIGN_OR_RETURN(m.change, FromChange(proto.change()));
  m.wants_reports = proto.wants_reports();
  return m;
}
absl::StatusOr<ControlMessage> Read(const v1::Commit& proto) {
  CommitMsg m{proto.round(), FromProto(proto.version()), proto.evaluate_at_coordinator(),
              proto.evaluate_at_workers()};
  SKEIN_ASSIGN_OR_RETURN(m.participants, FromProto(proto.participants()));
  return m;
}
absl::StatusOr<ControlMessage> Read(const v1::Steer& proto) {
  SteerMsg m{proto.from_version(), {}};
  SKEIN_ASSIGN_OR_RETURN(m.change, FromChange(proto.change()));
  return m;
}
absl::StatusOr<ControlMessage> Read(const v1::Finish& proto) {
  SKEIN_RETURN_IF_ERROR(CheckLength(proto.reason(), kMaxTextBytes, "finish.reason"));
  FinishMsg m{proto.evaluate_at_coordinator(), proto.evaluate_at_workers(), {}, proto.reason()};
  SKEIN_ASSIGN_OR_RETURN(m.participants, FromProto(proto.participants()));
  return m;
}
absl::StatusOr<ControlMessage> Read(const v1::Enlisted& proto) {
  SKEIN_RETURN_IF_ERROR(CheckLength(proto.run(), kMaxRunIdBytes, "enlisted.run"));
  return EnlistedMsg{proto.run()};
}
absl::StatusOr<ControlMessage> Read(const v1::StartNodes& proto) {
  SKEIN_RETURN_IF_ERROR(CheckLength(proto.run(), kMaxRunIdBytes, "start_nodes.run"));
  StartNodesMsg m{proto.run(), {}};
  for (const v1::StartNodes::Start& start : proto.nodes()) {
    SKEIN_RETURN_IF_ERROR(CheckNodeId(start.node(), "start_nodes.node"));
    if (!IsRole(start.role())) return absl::InvalidArgumentError("start_nodes.role: is no role");
    m.nodes.push_back({start.node(), static_cast<NodeRole>(start.role())});
  }
  return m;
}
absl::StatusOr<ControlMessage> Read(const v1::Notice& proto) {
  SKEIN_RETURN_IF_ERROR(CheckLength(proto.text(), kMaxTextBytes, "notice.text"));
  return NoticeMsg{proto.text()};
}
absl::StatusOr<ControlMessage> Read(const v1::Stop& proto) {
  SKEIN_RETURN_IF_ERROR(CheckOutcome(proto.code(), ""));
  return StopMsg{proto.code(), proto.reason()};
}

}  // namespace

v1::NodeMessage ToProto(const NodeMessage& message) {
  v1::NodeMessage proto;
  std::visit([&](const auto& m) { Fill(m, proto); }, message);
  return proto;
}

v1::ControlMessage ToProto(const ControlMessage& message) {
  v1::ControlMessage proto;
  std::visit([&](const auto& m) { Fill(m, proto); }, message);
  return proto;
}

absl::StatusOr<NodeMessage> FromProto(const v1::NodeMessage& proto) {
  switch (proto.kind_case()) {
    case v1::NodeMessage::kRegister:
      return Read(proto.register_());
    case v1::NodeMessage::kHeartbeat:
      return NodeMessage(HeartbeatMsg{});
    case v1::NodeMessage::kAttached:
      return NodeMessage(AttachedMsg{proto.attached().epoch()});
    case v1::NodeMessage::kReport:
      return Read(proto.report());
    case v1::NodeMessage::kRoundResult:
      return Read(proto.round_result());
    case v1::NodeMessage::kEvaluated:
      return Read(proto.evaluated());
    case v1::NodeMessage::kModelReady:
      return Read(proto.model_ready());
    case v1::NodeMessage::kGoodbye:
      return Read(proto.goodbye());
    case v1::NodeMessage::kFinished:
      return Read(proto.finished());
    case v1::NodeMessage::kEnlist:
      return Read(proto.enlist());
    case v1::NodeMessage::kNodeEnded:
      return Read(proto.node_ended());
    case v1::NodeMessage::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("a message of a node is of no known kind");
}

absl::StatusOr<ControlMessage> FromProto(const v1::ControlMessage& proto) {
  switch (proto.kind_case()) {
    case v1::ControlMessage::kAssign:
      return Read(proto.assign());
    case v1::ControlMessage::kAttach:
      return Read(proto.attach());
    case v1::ControlMessage::kExpectChild:
      return Read(proto.expect_child());
    case v1::ControlMessage::kChildLost:
      return Read(proto.child_lost());
    case v1::ControlMessage::kPlan:
      return Read(proto.plan());
    case v1::ControlMessage::kCommit:
      return Read(proto.commit());
    case v1::ControlMessage::kStop:
      return Read(proto.stop());
    case v1::ControlMessage::kSteer:
      return Read(proto.steer());
    case v1::ControlMessage::kFinish:
      return Read(proto.finish());
    case v1::ControlMessage::kEnlisted:
      return Read(proto.enlisted());
    case v1::ControlMessage::kStartNodes:
      return Read(proto.start_nodes());
    case v1::ControlMessage::kNotice:
      return Read(proto.notice());
    case v1::ControlMessage::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("a message of the control plane is of no known kind");
}

}  // namespace skein
