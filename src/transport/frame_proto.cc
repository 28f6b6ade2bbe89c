#include "transport/frame_proto.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "skein/base/status.h"
#include "transport/frame_limits.h"
#include "transport/tensor_proto.h"
#include "transport/wire_text.h"

namespace skein {
namespace {

// ---- to the wire: one overload a frame, each fills its alternative ----

void Fill(const HelloFrame& frame, v1::Frame& out) {
  v1::Hello* proto = out.mutable_hello();
  proto->set_protocol(frame.protocol);
  proto->set_run(WireText(frame.run));
  proto->set_node(WireText(frame.node));
  proto->set_incarnation(frame.incarnation);
  proto->set_epoch(frame.epoch);
}

void Fill(const WelcomeFrame& frame, v1::Frame& out) {
  v1::Welcome* proto = out.mutable_welcome();
  proto->set_protocol(frame.protocol);
  proto->set_incarnation(frame.incarnation);
}

// Parameters of parts are plain: a list or map among them is none that a part could have.
void Fill(const Value& value, v1::TierPolicy::Param& out) {
  if (const int64_t* v = value.AsInt()) out.set_integer(*v);
  if (const double* v = value.AsDouble()) out.set_real(*v);
  if (const bool* v = value.AsBool()) out.set_flag(*v);
  if (const std::string* v = value.AsString()) out.set_text(WireText(*v));
}

void Fill(const Task& frame, v1::Frame& out) {
  v1::Task* proto = out.mutable_task();
  proto->set_kind(static_cast<v1::TaskKind>(frame.kind));
  proto->set_round(frame.round);
  proto->set_attempt(frame.attempt);
  proto->set_local_round(frame.local_round);
  *proto->mutable_base() = ToProto(frame.base);
  proto->set_seq_first(frame.seq_first);
  proto->set_seq_count(frame.seq_count);
  *proto->mutable_participants() = ToProto(frame.participants);
  for (const auto& [tier, policy] : frame.policies) {
    v1::TierPolicy& out_policy = (*proto->mutable_policies())[tier];
    out_policy.set_name(WireText(policy.name));
    for (const auto& [name, value] : policy.params) {
      Fill(value, (*out_policy.mutable_params())[WireText(name)]);
    }
  }
  proto->set_steps(frame.steps);
  proto->set_wants_reports(frame.wants_reports);
}

void FillHeader(const ModelHeader& header, v1::Offer& out) {
  *out.mutable_model()->mutable_version() = ToProto(header.version);
  *out.mutable_model()->mutable_numeric() = ToProto(header.numeric);
}

void FillHeader(const UpdateHeader& header, v1::Offer& out) {
  v1::UpdateHeader* proto = out.mutable_update();
  proto->set_leaf(header.leaf);
  proto->set_seq(header.seq);
  proto->set_round(header.round);
  proto->set_local_round(header.local_round);
  *proto->mutable_base() = ToProto(header.base);
  proto->set_num_samples(header.num_samples);
  for (const auto& [name, value] : header.metrics) {
    (*proto->mutable_metrics())[WireText(name, kMaxMetricNameBytes)] = value;
  }
}

void FillHeader(const PartialHeader& header, v1::Offer& out) {
  v1::PartialHeader* proto = out.mutable_partial();
  proto->set_round(header.round);
  proto->set_local_round(header.local_round);
  *proto->mutable_base() = ToProto(header.base);
  *proto->mutable_total_weight() = ToProto(header.total_weight);
  for (const auto& [name, value] : header.scalars) {
    (*proto->mutable_scalars())[WireText(name, kMaxMetricNameBytes)] = ToProto(value);
  }
  proto->set_num_samples(header.num_samples);
  *proto->mutable_roster() = ToProto(header.roster);
  *proto->mutable_metrics() = ToProto(header.metrics);
  proto->set_task(header.task);
  proto->set_part(header.part);
  proto->set_parts(header.parts);
  proto->set_updates(header.updates);
  proto->set_contributions(header.contributions);
  *proto->mutable_reports() = ToProto(header.reports);
  proto->set_mean(header.mean);
}

void Fill(const OfferFrame& frame, v1::Frame& out) {
  v1::Offer* proto = out.mutable_offer();
  proto->set_transfer(frame.transfer);
  *proto->mutable_manifest() = ToProto(frame.manifest);
  std::visit([&](const auto& header) { FillHeader(header, *proto); }, frame.header);
  if (frame.encoding) {
    v1::Encoding* encoding = proto->mutable_encoding();
    encoding->set_form(WireText(frame.encoding->form));
    encoding->set_bytes(frame.encoding->bytes);
    if (frame.encoding->base) *encoding->mutable_base() = ToProto(*frame.encoding->base);
  }
}

void Fill(const GrantFrame& frame, v1::Frame& out) {
  out.mutable_grant()->set_transfer(frame.transfer);
  out.mutable_grant()->set_offset(frame.offset);
}

void Fill(const ChunkFrame& frame, v1::Frame& out) {
  v1::Chunk* proto = out.mutable_chunk();
  proto->set_transfer(frame.transfer);
  proto->set_offset(frame.offset);
  proto->set_checksum(frame.checksum);
  proto->set_data(frame.bytes.data(), frame.bytes.size());
}

void Fill(const TrailerFrame& frame, v1::Frame& out) {
  out.mutable_trailer()->set_transfer(frame.transfer);
  out.mutable_trailer()->set_digest(WireText(frame.digest));
}

void Fill(const AckFrame& frame, v1::Frame& out) {
  out.mutable_ack()->set_transfer(frame.transfer);
  out.mutable_ack()->set_code(frame.code);
  out.mutable_ack()->set_message(WireText(frame.message));
}

void Fill(const TaskFailedFrame& frame, v1::Frame& out) {
  v1::TaskFailed* proto = out.mutable_task_failed();
  proto->set_kind(static_cast<v1::TaskKind>(frame.kind));
  proto->set_round(frame.round);
  proto->set_local_round(frame.local_round);
  proto->set_reason(WireText(frame.reason));
  proto->set_bad_update(frame.bad_update);
}

void Fill(const EvalReportFrame& frame, v1::Frame& out) {
  v1::EvalReport* proto = out.mutable_eval_report();
  proto->set_round(frame.round);
  *proto->mutable_version() = ToProto(frame.version);
  proto->set_num_samples(frame.num_samples);
  *proto->mutable_roster() = ToProto(frame.roster);
  *proto->mutable_metrics() = ToProto(frame.metrics);
}

void Fill(const CommittedFrame& frame, v1::Frame& out) {
  out.mutable_committed()->set_round(frame.round);
  *out.mutable_committed()->mutable_version() = ToProto(frame.version);
}

void Fill(const CancelFrame& frame, v1::Frame& out) {
  out.mutable_cancel()->set_round(frame.round);
  out.mutable_cancel()->set_local_round(frame.local_round);
  out.mutable_cancel()->set_reason(WireText(frame.reason));
}

void Fill(const ByeFrame& frame, v1::Frame& out) {
  out.mutable_bye()->set_reason(WireText(frame.reason));
}

// ---- from the wire ----

absl::Status CheckText(const std::string& text, size_t max_bytes, const char* what) {
  if (text.size() <= max_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(std::string(what) + " has " + std::to_string(text.size()) +
                                    " bytes, more than " + std::to_string(max_bytes));
}

absl::Status CheckOffset(uint64_t offset) {
  if (offset <= Manifest::kMaxBytes) return absl::OkStatus();
  return absl::InvalidArgumentError("offset " + std::to_string(offset) + " is out of range");
}

absl::StatusOr<TaskKind> KindFromProto(v1::TaskKind kind) {
  if (kind == v1::TASK_KIND_TRAIN) return TaskKind::kTrain;
  if (kind == v1::TASK_KIND_EVALUATE) return TaskKind::kEvaluate;
  return absl::InvalidArgumentError("unknown kind of task " +
                                    std::to_string(static_cast<int>(kind)));
}

absl::StatusOr<Frame> Parse(v1::Hello& proto) {
  SKEIN_RETURN_IF_ERROR(CheckText(proto.run(), kMaxRunIdBytes, "run"));
  SKEIN_RETURN_IF_ERROR(CheckText(proto.node(), kMaxNodeIdBytes, "node"));
  if (proto.node().empty()) return absl::InvalidArgumentError("node is empty");
  return HelloFrame{proto.protocol(), std::move(*proto.mutable_run()),
                    std::move(*proto.mutable_node()), proto.incarnation(), proto.epoch()};
}

absl::StatusOr<Frame> Parse(v1::Welcome& proto) {
  return WelcomeFrame{proto.protocol(), proto.incarnation()};
}

absl::StatusOr<Value> ParamValue(const v1::TierPolicy::Param& param) {
  SKEIN_RETURN_IF_ERROR(CheckText(param.text(), kMaxTextBytes, "parameter"));
  switch (param.value_case()) {
    case v1::TierPolicy::Param::kInteger:
      return Value(int64_t{param.integer()});
    case v1::TierPolicy::Param::kReal:
      return Value(param.real());
    case v1::TierPolicy::Param::kFlag:
      return Value(param.flag());
    case v1::TierPolicy::Param::kText:
      return Value(param.text());
    case v1::TierPolicy::Param::VALUE_NOT_SET:
      break;
  }
  return Value();
}

absl::StatusOr<TierPolicies> PoliciesFromProto(
    const google::protobuf::Map<int32_t, v1::TierPolicy>& proto) {
  if (proto.size() > Topology::kMaxDepth) return absl::InvalidArgumentError("too many policies");
  TierPolicies policies;
  for (const auto& [tier, in] : proto) {
    SKEIN_RETURN_IF_ERROR(CheckText(in.name(), kMaxTextBytes, "policy"));
    PartSpec policy{in.name(), {}};
    for (const auto& [name, param] : in.params()) {
      SKEIN_RETURN_IF_ERROR(CheckText(name, kMaxTextBytes, "name of a parameter"));
      SKEIN_ASSIGN_OR_RETURN(policy.params[name], ParamValue(param));
    }
    policies[tier] = std::move(policy);
  }
  return policies;
}

absl::StatusOr<Frame> Parse(v1::Task& proto) {
  Task task;
  SKEIN_ASSIGN_OR_RETURN(task.kind, KindFromProto(proto.kind()));
  task.round = proto.round();
  task.attempt = proto.attempt();
  task.local_round = proto.local_round();
  task.base = FromProto(proto.base());
  task.seq_first = proto.seq_first();
  task.seq_count = proto.seq_count();
  if (task.seq_first + task.seq_count < task.seq_first) {
    return absl::InvalidArgumentError("sequence numbers from " + std::to_string(task.seq_first) +
                                      " overflow");
  }
  SKEIN_ASSIGN_OR_RETURN(task.participants, FromProto(proto.participants()));
  SKEIN_ASSIGN_OR_RETURN(task.policies, PoliciesFromProto(proto.policies()));
  task.steps = proto.steps();
  task.wants_reports = proto.wants_reports();
  return task;
}

absl::StatusOr<ModelHeader> ParseHeader(const v1::ModelHeader& proto, const Manifest& manifest) {
  ModelHeader header;
  header.version = FromProto(proto.version());
  SKEIN_ASSIGN_OR_RETURN(header.numeric, FromProto(proto.numeric()));
  const bool question = header.version.pass > 0;
  if (header.numeric.scales.size() != (question ? 0 : manifest.size())) {
    return absl::InvalidArgumentError((question ? "a question of " : "a model of ") +
                                      std::to_string(manifest.size()) + " tensors comes with " +
                                      std::to_string(header.numeric.scales.size()) + " scales");
  }
  return header;
}

absl::StatusOr<UpdateHeader> ParseHeader(const v1::UpdateHeader& proto) {
  if (proto.leaf() >= kMaxLeaves) {
    return absl::InvalidArgumentError("leaf " + std::to_string(proto.leaf()) + " is out of range");
  }
  SKEIN_RETURN_IF_ERROR(CheckMetricCount(proto.metrics().size(), "metrics"));
  UpdateHeader header{
      proto.leaf(),        proto.seq(), proto.round(), proto.local_round(), FromProto(proto.base()),
      proto.num_samples(), {}};
  for (const auto& [name, value] : proto.metrics()) {
    SKEIN_RETURN_IF_ERROR(CheckMetricName(name, "metric"));
    header.metrics[name] = value;
  }
  return header;
}

absl::StatusOr<PartialHeader> ParseHeader(const v1::PartialHeader& proto) {
  PartialHeader header;
  header.round = proto.round();
  header.local_round = proto.local_round();
  header.base = FromProto(proto.base());
  header.total_weight = FromProto(proto.total_weight());
  if (header.total_weight < Fixed128()) {
    return absl::InvalidArgumentError("the total weight is negative");
  }
  SKEIN_RETURN_IF_ERROR(CheckMetricCount(proto.scalars().size(), "scalars"));
  for (const auto& [name, value] : proto.scalars()) {
    SKEIN_RETURN_IF_ERROR(CheckMetricName(name, "scalar"));
    header.scalars[name] = FromProto(value);
  }
  header.num_samples = proto.num_samples();
  SKEIN_ASSIGN_OR_RETURN(header.roster, FromProto(proto.roster()));
  SKEIN_ASSIGN_OR_RETURN(header.metrics, FromProto(proto.metrics()));
  header.task = proto.task();
  header.part = proto.part();
  header.parts = proto.parts();
  header.updates = proto.updates();
  header.contributions = proto.contributions();
  SKEIN_ASSIGN_OR_RETURN(header.reports, FromProto(proto.reports()));
  header.mean = proto.mean();
  if (header.part >= header.parts) {
    return absl::InvalidArgumentError("part " + std::to_string(header.part) + " of " +
                                      std::to_string(header.parts) + " partials");
  }
  return header;
}

absl::StatusOr<Encoding> ParseEncoding(const v1::Encoding& proto) {
  SKEIN_RETURN_IF_ERROR(CheckText(proto.form(), kMaxTextBytes, "form"));
  if (proto.bytes() > Manifest::kMaxBytes) {
    return absl::InvalidArgumentError("a payload of " + std::to_string(proto.bytes()) + " bytes");
  }
  Encoding encoding{proto.form(), proto.bytes(), std::nullopt};
  if (proto.has_base()) encoding.base = FromProto(proto.base());
  return encoding;
}

absl::StatusOr<Frame> Parse(v1::Offer& proto) {
  OfferFrame offer;
  offer.transfer = proto.transfer();
  SKEIN_ASSIGN_OR_RETURN(offer.manifest, FromProto(proto.manifest()));
  if (proto.has_encoding()) {
    SKEIN_ASSIGN_OR_RETURN(offer.encoding, ParseEncoding(proto.encoding()));
  }
  switch (proto.header_case()) {
    case v1::Offer::kModel: {
      SKEIN_ASSIGN_OR_RETURN(offer.header, ParseHeader(proto.model(), offer.manifest));
      return offer;
    }
    case v1::Offer::kUpdate: {
      SKEIN_ASSIGN_OR_RETURN(offer.header, ParseHeader(proto.update()));
      return offer;
    }
    case v1::Offer::kPartial: {
      SKEIN_ASSIGN_OR_RETURN(offer.header, ParseHeader(proto.partial()));
      return offer;
    }
    case v1::Offer::HEADER_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("neither model, update nor partial is in it");
}

absl::StatusOr<Frame> Parse(v1::Grant& proto) {
  SKEIN_RETURN_IF_ERROR(CheckOffset(proto.offset()));
  return GrantFrame{proto.transfer(), proto.offset()};
}

absl::StatusOr<Frame> Parse(v1::Chunk& proto) {
  SKEIN_RETURN_IF_ERROR(CheckOffset(proto.offset()));
  SKEIN_RETURN_IF_ERROR(CheckText(proto.data(), kMaxChunkBytes, "payload"));
  auto payload = std::make_shared<const std::string>(std::move(*proto.mutable_data()));
  const auto bytes = std::as_bytes(std::span(*payload));
  return ChunkFrame{proto.transfer(), proto.offset(), proto.checksum(), bytes, std::move(payload)};
}

absl::StatusOr<Frame> Parse(v1::Trailer& proto) {
  const std::string& digest = proto.digest();
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!digest.empty() &&
      (digest.size() != 32 || !std::all_of(digest.begin(), digest.end(), is_hex))) {
    return absl::InvalidArgumentError("the digest is not 32 lower-case hexadecimal digits");
  }
  return TrailerFrame{proto.transfer(), digest};
}

absl::StatusOr<Frame> Parse(v1::Ack& proto) {
  if (proto.code() < 0 || proto.code() > static_cast<int>(absl::StatusCode::kUnauthenticated)) {
    return absl::InvalidArgumentError("unknown status code " + std::to_string(proto.code()));
  }
  SKEIN_RETURN_IF_ERROR(CheckText(proto.message(), kMaxTextBytes, "message"));
  return AckFrame{proto.transfer(), proto.code(), std::move(*proto.mutable_message())};
}

absl::StatusOr<Frame> Parse(v1::TaskFailed& proto) {
  SKEIN_ASSIGN_OR_RETURN(const TaskKind kind, KindFromProto(proto.kind()));
  SKEIN_RETURN_IF_ERROR(CheckText(proto.reason(), kMaxTextBytes, "reason"));
  return TaskFailedFrame{kind, proto.round(), proto.local_round(),
                         std::move(*proto.mutable_reason()), proto.bad_update()};
}

absl::StatusOr<Frame> Parse(v1::EvalReport& proto) {
  EvalReportFrame report;
  report.round = proto.round();
  report.version = FromProto(proto.version());
  report.num_samples = proto.num_samples();
  SKEIN_ASSIGN_OR_RETURN(report.roster, FromProto(proto.roster()));
  SKEIN_ASSIGN_OR_RETURN(report.metrics, FromProto(proto.metrics()));
  return report;
}

absl::StatusOr<Frame> Parse(v1::Committed& proto) {
  return CommittedFrame{proto.round(), FromProto(proto.version())};
}

absl::StatusOr<Frame> Parse(v1::Cancel& proto) {
  SKEIN_RETURN_IF_ERROR(CheckText(proto.reason(), kMaxTextBytes, "reason"));
  return CancelFrame{proto.round(), proto.local_round(), std::move(*proto.mutable_reason())};
}

absl::StatusOr<Frame> Parse(v1::Bye& proto) {
  SKEIN_RETURN_IF_ERROR(CheckText(proto.reason(), kMaxTextBytes, "reason"));
  return ByeFrame{std::move(*proto.mutable_reason())};
}

template <typename Message>
absl::StatusOr<Frame> Named(const char* kind, Message* message) {
  absl::StatusOr<Frame> frame = Parse(*message);
  if (!frame.ok()) return Annotate(frame.status(), std::string("bad ") + kind + " frame");
  return frame;
}

}  // namespace

v1::Frame FrameToProto(const Frame& frame) {
  v1::Frame proto;
  std::visit([&](const auto& alternative) { Fill(alternative, proto); }, frame);
  return proto;
}

absl::StatusOr<Frame> FrameFromProto(v1::Frame proto) {
  switch (proto.kind_case()) {
    case v1::Frame::kHello:
      return Named("hello", proto.mutable_hello());
    case v1::Frame::kWelcome:
      return Named("welcome", proto.mutable_welcome());
    case v1::Frame::kTask:
      return Named("task", proto.mutable_task());
    case v1::Frame::kOffer:
      return Named("offer", proto.mutable_offer());
    case v1::Frame::kGrant:
      return Named("grant", proto.mutable_grant());
    case v1::Frame::kChunk:
      return Named("chunk", proto.mutable_chunk());
    case v1::Frame::kTrailer:
      return Named("trailer", proto.mutable_trailer());
    case v1::Frame::kAck:
      return Named("ack", proto.mutable_ack());
    case v1::Frame::kTaskFailed:
      return Named("task_failed", proto.mutable_task_failed());
    case v1::Frame::kEvalReport:
      return Named("eval_report", proto.mutable_eval_report());
    case v1::Frame::kCommitted:
      return Named("committed", proto.mutable_committed());
    case v1::Frame::kCancel:
      return Named("cancel", proto.mutable_cancel());
    case v1::Frame::kBye:
      return Named("bye", proto.mutable_bye());
    case v1::Frame::kClose:  // the transport's own, never for nodes
    case v1::Frame::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("a frame is of no kind that this version knows");
}

}  // namespace skein
