#include "transport/grpc/grpc_status.h"

#include <string>

#include "skein/base/status.h"
#include "transport/wire_text.h"

namespace skein {

absl::Status MakeStatus(int code, const std::string& message) {
  if (code == 0) return absl::OkStatus();
  const bool known = code > 0 && code <= static_cast<int>(absl::StatusCode::kUnauthenticated);
  return absl::Status(known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
                      WireText(message));
}

absl::Status FromGrpc(const grpc::Status& status) {
  return MakeStatus(static_cast<int>(status.error_code()), status.error_message());
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), WireText(Message(status)));
}

}  // namespace skein
