#ifndef SKEIN_TRANSPORT_TENSOR_PROTO_H_
#define SKEIN_TRANSPORT_TENSOR_PROTO_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <google/protobuf/map.h>

#include "skein/base/fixed128.h"
#include "skein/base/ids.h"
#include "skein/base/roster.h"
#include "skein/strategy/contribution.h"
#include "skein/strategy/numeric_plan.h"
#include "skein/tensor/manifest.h"
#include "skein/v1/tensor.pb.h"

namespace skein {

// The messages of tensor.proto from and to our values; both planes use them. What comes from the
// wire is hostile until FromProto has accepted it: InvalidArgument says what is wrong.

v1::Manifest ToProto(const Manifest& manifest);
absl::StatusOr<Manifest> FromProto(const v1::Manifest& proto);

v1::NumericPlan ToProto(const NumericPlan& plan);
absl::StatusOr<NumericPlan> FromProto(const v1::NumericPlan& proto);

v1::Roster ToProto(const Roster& roster);
absl::StatusOr<Roster> FromProto(const v1::Roster& proto);

v1::VersionRef ToProto(const VersionRef& ref);
VersionRef FromProto(const v1::VersionRef& proto);

v1::Fixed128 ToProto(const Fixed128& value);
Fixed128 FromProto(const v1::Fixed128& proto);

google::protobuf::Map<std::string, v1::MetricSum> ToProto(const MetricSums& metrics);
absl::StatusOr<MetricSums> FromProto(
    const google::protobuf::Map<std::string, v1::MetricSum>& proto);

// FromProto refuses leaves out of order or out of range, and numbers that are not finite.
google::protobuf::RepeatedPtrField<v1::WorkerReport> ToProto(
    const std::vector<WorkerReport>& reports);
absl::StatusOr<std::vector<WorkerReport>> FromProto(
    const google::protobuf::RepeatedPtrField<v1::WorkerReport>& proto);

// OK if a map with `count` entries and the names in it is within bounds; `what` for the message.
absl::Status CheckMetricCount(size_t count, const char* what);
absl::Status CheckMetricName(const std::string& name, const char* what);

}  // namespace skein

#endif  // SKEIN_TRANSPORT_TENSOR_PROTO_H_
