#ifndef SKEIN_SRC_CONTROL_GRPC_SERVICE_H_
#define SKEIN_SRC_CONTROL_GRPC_SERVICE_H_

#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "control/run_desk.h"
#include "skein/control/control_plane.h"

namespace skein {

struct ControlServerOptions {
  std::shared_ptr<ControlReceiver> receiver;
  std::shared_ptr<RunDesk> desk;  // null: nobody hands in runs
  std::string address;            // "host:port"; empty: in-process use only
  bool insecure = false;          // it may listen beyond loopback
};

absl::StatusOr<std::unique_ptr<ControlServer>> StartControlServer(ControlServerOptions options);

// What StartControlServer would say of an address, before anything is made for it.
absl::Status CheckControlAddress(const std::string& address, bool insecure);

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_GRPC_SERVICE_H_
