#ifndef SKEIN_SRC_CONTROL_GRPC_RUNS_PROTO_H_
#define SKEIN_SRC_CONTROL_GRPC_RUNS_PROTO_H_

#include "control/run_desk.h"
#include "skein/v1/runs.pb.h"

namespace skein {

v1::Run ToProto(const RunInfo& run);
RunInfo FromProto(const v1::Run& run);

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_GRPC_RUNS_PROTO_H_
