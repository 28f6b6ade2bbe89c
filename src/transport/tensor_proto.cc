#include "transport/tensor_proto.h"

#include <cmath>
#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "transport/frame_limits.h"
#include "transport/wire_text.h"

namespace skein {
namespace {

// Scales beyond this make no sense for float32 or float64 values and would upset the exponent
// arithmetic of the folds.
constexpr int kMaxScaleBits = 1100;
constexpr uint64_t kMaxUpdateWeight = uint64_t{1} << 40;

absl::StatusOr<DType> DTypeFromProto(v1::DType dtype) {
  const int value = static_cast<int>(dtype);
  if (value < static_cast<int>(DType::kBool) || value > static_cast<int>(DType::kFloat64)) {
    return absl::InvalidArgumentError("unknown element type " + std::to_string(value));
  }
  return static_cast<DType>(value);
}

absl::StatusOr<TensorRole> RoleFromProto(v1::TensorRole role) {
  switch (role) {
    case v1::TENSOR_ROLE_PARAMETER:
      return TensorRole::kParameter;
    case v1::TENSOR_ROLE_BUFFER:
      return TensorRole::kBuffer;
    case v1::TENSOR_ROLE_COMPANION:
      return TensorRole::kCompanion;
    default:
      return absl::InvalidArgumentError("unknown tensor role " +
                                        std::to_string(static_cast<int>(role)));
  }
}

absl::StatusOr<TensorInfo> InfoFromProto(const v1::TensorInfo& proto) {
  if (proto.name().size() > Manifest::kMaxNameBytes) {
    return absl::InvalidArgumentError("a tensor name has " + std::to_string(proto.name().size()) +
                                      " bytes");
  }
  const std::string context = "tensor '" + proto.name() + "'";
  if (static_cast<size_t>(proto.shape_size()) > Manifest::kMaxDims) {
    return absl::InvalidArgumentError(context + " has " + std::to_string(proto.shape_size()) +
                                      " dimensions");
  }
  TensorInfo info;
  info.name = proto.name();
  absl::StatusOr<DType> dtype = DTypeFromProto(proto.dtype());
  if (!dtype.ok()) return Annotate(dtype.status(), context);
  info.dtype = *dtype;
  info.shape.assign(proto.shape().begin(), proto.shape().end());
  absl::StatusOr<TensorRole> role = RoleFromProto(proto.role());
  if (!role.ok()) return Annotate(role.status(), context);
  info.role = *role;
  return info;
}

}  // namespace

v1::Manifest ToProto(const Manifest& manifest) {
  v1::Manifest proto;
  proto.mutable_tensors()->Reserve(static_cast<int>(manifest.size()));
  for (const TensorInfo& info : manifest.tensors()) {
    v1::TensorInfo* tensor = proto.add_tensors();
    tensor->set_name(info.name);
    tensor->set_dtype(static_cast<v1::DType>(info.dtype));
    tensor->mutable_shape()->Add(info.shape.begin(), info.shape.end());
    tensor->set_role(static_cast<v1::TensorRole>(info.role));
  }
  return proto;
}

absl::StatusOr<Manifest> FromProto(const v1::Manifest& proto) {
  if (static_cast<size_t>(proto.tensors_size()) > Manifest::kMaxTensors) {
    return absl::InvalidArgumentError("a manifest lists " + std::to_string(proto.tensors_size()) +
                                      " tensors");
  }
  std::vector<TensorInfo> tensors;
  tensors.reserve(static_cast<size_t>(proto.tensors_size()));
  for (const v1::TensorInfo& tensor : proto.tensors()) {
    SKEIN_ASSIGN_OR_RETURN(TensorInfo info, InfoFromProto(tensor));
    tensors.push_back(std::move(info));
  }
  return Manifest::Create(std::move(tensors));
}

v1::NumericPlan ToProto(const NumericPlan& plan) {
  v1::NumericPlan proto;
  proto.set_max_update_weight(plan.max_update_weight);
  proto.set_max_total_weight(plan.max_total_weight);
  for (const TensorScale& scale : plan.scales) {
    v1::TensorScale* entry = proto.add_scales();
    entry->set_scale_bits(scale.scale_bits);
    entry->set_bound_log2(scale.bound_log2);
  }
  return proto;
}

absl::StatusOr<NumericPlan> FromProto(const v1::NumericPlan& proto) {
  if (proto.max_update_weight() == 0 || proto.max_update_weight() > kMaxUpdateWeight ||
      proto.max_total_weight() < proto.max_update_weight()) {
    return absl::InvalidArgumentError("a numeric plan has weight bounds " +
                                      std::to_string(proto.max_update_weight()) + " and " +
                                      std::to_string(proto.max_total_weight()));
  }
  if (static_cast<size_t>(proto.scales_size()) > Manifest::kMaxTensors) {
    return absl::InvalidArgumentError("a numeric plan lists " +
                                      std::to_string(proto.scales_size()) + " scales");
  }
  NumericPlan plan;
  plan.max_update_weight = proto.max_update_weight();
  plan.max_total_weight = proto.max_total_weight();
  plan.scales.reserve(static_cast<size_t>(proto.scales_size()));
  const auto sane = [](int bits) { return bits >= -kMaxScaleBits && bits <= kMaxScaleBits; };
  for (const v1::TensorScale& entry : proto.scales()) {
    if (!sane(entry.scale_bits()) || !sane(entry.bound_log2())) {
      return absl::InvalidArgumentError(
          "a numeric plan has scale 2^" + std::to_string(entry.scale_bits()) + " and bound 2^" +
          std::to_string(entry.bound_log2()) + " for tensor " + std::to_string(plan.scales.size()));
    }
    plan.scales.push_back({entry.scale_bits(), entry.bound_log2()});
  }
  return plan;
}

v1::Roster ToProto(const Roster& roster) {
  v1::Roster proto;
  proto.set_intervals(roster.Encode());
  return proto;
}

absl::StatusOr<Roster> FromProto(const v1::Roster& proto) {
  return Roster::Decode(proto.intervals(), kMaxLeaves);
}

v1::VersionRef ToProto(const VersionRef& ref) {
  v1::VersionRef proto;
  proto.set_version(ref.version);
  proto.set_attempt(ref.attempt);
  proto.set_local_round(ref.local_round);
  proto.set_pass(ref.pass);
  return proto;
}

VersionRef FromProto(const v1::VersionRef& proto) {
  return {proto.version(), proto.attempt(), proto.local_round(), proto.pass()};
}

v1::Fixed128 ToProto(const Fixed128& value) {
  v1::Fixed128 proto;
  proto.set_high(value.high());
  proto.set_low(value.low());
  return proto;
}

Fixed128 FromProto(const v1::Fixed128& proto) {
  return Fixed128::FromParts(proto.high(), proto.low());
}

google::protobuf::Map<std::string, v1::MetricSum> ToProto(const MetricSums& metrics) {
  google::protobuf::Map<std::string, v1::MetricSum> proto;
  for (const auto& [name, sum] : metrics.sums()) {
    v1::MetricSum& entry = proto[WireText(name, kMaxMetricNameBytes)];
    *entry.mutable_weighted() = ToProto(sum.weighted);
    *entry.mutable_weight() = ToProto(sum.weight);
  }
  return proto;
}

absl::StatusOr<MetricSums> FromProto(
    const google::protobuf::Map<std::string, v1::MetricSum>& proto) {
  SKEIN_RETURN_IF_ERROR(CheckMetricCount(proto.size(), "metrics"));
  MetricSums metrics;
  for (const auto& [name, entry] : proto) {
    SKEIN_RETURN_IF_ERROR(CheckMetricName(name, "metric"));
    const MetricSums::Sum sum{FromProto(entry.weighted()), FromProto(entry.weight())};
    if (sum.weight < Fixed128()) {
      return absl::InvalidArgumentError("metric '" + name + "' has a negative weight");
    }
    metrics.mutable_sums()[name] = sum;
  }
  return metrics;
}

google::protobuf::RepeatedPtrField<v1::WorkerReport> ToProto(
    const std::vector<WorkerReport>& reports) {
  google::protobuf::RepeatedPtrField<v1::WorkerReport> proto;
  proto.Reserve(static_cast<int>(reports.size()));
  for (const WorkerReport& report : reports) {
    v1::WorkerReport* out = proto.Add();
    out->set_leaf(report.leaf);
    out->set_num_samples(report.num_samples);
    if (report.loss) out->set_loss(*report.loss);
    if (report.loss_squared) out->set_loss_squared(*report.loss_squared);
    out->set_seconds(report.seconds);
  }
  return proto;
}

absl::StatusOr<std::vector<WorkerReport>> FromProto(
    const google::protobuf::RepeatedPtrField<v1::WorkerReport>& proto) {
  if (static_cast<size_t>(proto.size()) > kMaxWorkerReports) {
    return absl::InvalidArgumentError("a message has " + std::to_string(proto.size()) +
                                      " reports of workers; at most " +
                                      std::to_string(kMaxWorkerReports) + " are allowed");
  }
  std::vector<WorkerReport> reports;
  reports.reserve(static_cast<size_t>(proto.size()));
  for (const v1::WorkerReport& in : proto) {
    WorkerReport report{.leaf = in.leaf(), .num_samples = in.num_samples()};
    if (in.has_loss()) report.loss = in.loss();
    if (in.has_loss_squared()) report.loss_squared = in.loss_squared();
    report.seconds = in.seconds();
    const bool finite = std::isfinite(report.loss.value_or(0)) &&
                        std::isfinite(report.loss_squared.value_or(0)) &&
                        std::isfinite(report.seconds) && report.seconds >= 0;
    const bool in_order = reports.empty() || reports.back().leaf < report.leaf;
    if (!finite || !in_order || report.leaf >= kMaxLeaves) {
      return absl::InvalidArgumentError(
          "the report of leaf " + std::to_string(report.leaf) +
          (finite ? " is out of order or range" : " has a number that is not finite"));
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

absl::Status CheckMetricCount(size_t count, const char* what) {
  if (count <= kMaxMetrics) return absl::OkStatus();
  return absl::InvalidArgumentError("a message has " + std::to_string(count) + " " + what +
                                    "; at most " + std::to_string(kMaxMetrics) + " are allowed");
}

absl::Status CheckMetricName(const std::string& name, const char* what) {
  if (!name.empty() && name.size() <= kMaxMetricNameBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(std::string("the name of a ") + what + " has " +
                                    std::to_string(name.size()) + " bytes; it may have 1 to " +
                                    std::to_string(kMaxMetricNameBytes));
}

}  // namespace skein
