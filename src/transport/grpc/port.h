#ifndef SKEIN_SRC_TRANSPORT_GRPC_PORT_H_
#define SKEIN_SRC_TRANSPORT_GRPC_PORT_H_

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <absl/status/statusor.h>
#include <grpcpp/server_builder.h>

#include "transport/grpc/address.h"

namespace skein {

// A port whose connections go to a gRPC server. In place of the builder's AddListeningPort: gRPC
// 1.51 takes no connection any more, for good, once the process has had no file descriptor left for
// one. Here connections wait until there are some again, and a few are kept for everything else.
// Owned beside the server: opened with its builder, started after it, ended before it.
class Port {
 public:
  // Unavailable, with the system's reason and a remedy.
  static absl::StatusOr<std::unique_ptr<Port>> Open(const HostPort& address,
                                                    grpc::ServerBuilder& builder);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  int number() const { return number_; }
  // Once, when the server has been started.
  void Start();

 private:
  using Server = grpc::experimental::ExternalConnectionAcceptor;
  explicit Port(std::string name) : name_(std::move(name)) {}
  absl::Status Listen(const HostPort& address);
  void Watch();
  // Whether there was room for one more.
  bool Take(int socket);

  std::string name_;  // its address
  int number_ = 0;
  std::vector<int> sockets_;
  int end_ = -1;  // readable when Watch is to end
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

}  // namespace skein

#endif  // SKEIN_SRC_TRANSPORT_GRPC_PORT_H_
