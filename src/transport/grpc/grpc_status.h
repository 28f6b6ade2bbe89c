#ifndef SKEIN_TRANSPORT_GRPC_GRPC_STATUS_H_
#define SKEIN_TRANSPORT_GRPC_GRPC_STATUS_H_

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

namespace skein {

// The code numbers of both are google.rpc.Code.
absl::Status FromGrpc(const grpc::Status& status);
grpc::Status ToGrpc(const absl::Status& status);

// From a code and message that a peer sent; a number that is no code becomes Unknown.
absl::Status MakeStatus(int code, const std::string& message);

}  // namespace skein

#endif  // SKEIN_TRANSPORT_GRPC_GRPC_STATUS_H_
