#ifndef SKEIN_TRANSPORT_GRPC_SERVER_H_
#define SKEIN_TRANSPORT_GRPC_SERVER_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>

#include "skein/transport/transport.h"
#include "transport/grpc/address.h"
#include "transport/grpc/port.h"
#include "transport/grpc/stream_link.h"

namespace skein {

// What gRPC may hold for a server and its streams: a bound against peers that flood it, far above
// what it takes. Near its bound gRPC reads in small pieces, at twice the cost; and of each
// connection it counts up to 1 MiB that it has set aside and not taken (ADR 0017).
// Thread-safe; shared by a server and its acceptors.
class StreamMemory {
 public:
  static constexpr size_t kServerBytes = size_t{256} << 20;
  static constexpr size_t kStreamBytes = size_t{1} << 20;

  StreamMemory() { quota_.Resize(kServerBytes); }
  // An acceptor has `now` streams, which were `before`.
  void Change(size_t before, size_t now);
  const grpc::ResourceQuota& quota() const { return quota_; }

 private:
  std::mutex mutex_;
  size_t streams_ = 0;
  grpc::ResourceQuota quota_;
};

// Accepts streams for one Listen. Thread-safe; shared by the listener and the calls.
class GrpcAcceptor : public std::enable_shared_from_this<GrpcAcceptor> {
 public:
  GrpcAcceptor(std::shared_ptr<Executor> executor, std::shared_ptr<Acceptor> acceptor,
               std::shared_ptr<StreamMemory> memory)
      : executor_(std::move(executor)),
        acceptor_(std::move(acceptor)),
        memory_(std::move(memory)) {}

  // A link for a stream that has come in, to be offered to the acceptor on its executor.
  std::shared_ptr<StreamLink> NewLink();
  // Closes all links and offers no more.
  void Shut();

 private:
  void Offer(const std::shared_ptr<StreamLink>& link);

  const std::shared_ptr<Executor> executor_;
  std::mutex mutex_;
  std::shared_ptr<Acceptor> acceptor_;  // null once shut
  const std::shared_ptr<StreamMemory> memory_;
  std::vector<std::weak_ptr<StreamLink>> links_;
  size_t prune_at_ = 16;
};

// A port and its listeners, each under a route of its own. Thread-safe; owned by the listeners.
class GrpcServer {
 public:
  static absl::StatusOr<std::shared_ptr<GrpcServer>> Start(HostPort address);
  // Waits until all calls have ended, at most for the grace given to them; needs no executor.
  ~GrpcServer();

  const HostPort& address() const { return address_; }
  // AlreadyExists if the route is taken.
  absl::StatusOr<std::shared_ptr<GrpcAcceptor>> Add(const std::string& route,
                                                    std::shared_ptr<Executor> executor,
                                                    std::shared_ptr<Acceptor> acceptor);
  // The route is free again.
  void Remove(const std::string& route);
  // For whom a call is: an empty route is for the only listener there is. Null if there is none.
  std::shared_ptr<GrpcAcceptor> Find(const std::string& route);

 private:
  class Service;
  GrpcServer();

  HostPort address_;
  const std::shared_ptr<StreamMemory> memory_ = std::make_shared<StreamMemory>();
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<GrpcAcceptor>> routes_;
  const std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Port> port_;
};

class GrpcListener final : public Listener {
 public:
  static absl::StatusOr<std::unique_ptr<Listener>> Start(std::shared_ptr<GrpcServer> server,
                                                         std::string route,
                                                         std::shared_ptr<Executor> executor,
                                                         std::shared_ptr<Acceptor> acceptor);
  ~GrpcListener() override;

  std::string address() const override {
    return RoutedAddress{server_->address(), route_}.ToString();
  }

 private:
  GrpcListener(std::shared_ptr<GrpcServer> server, std::string route,
               std::shared_ptr<GrpcAcceptor> acceptor)
      : server_(std::move(server)), route_(std::move(route)), acceptor_(std::move(acceptor)) {}

  const std::shared_ptr<GrpcServer> server_;
  const std::string route_;
  const std::shared_ptr<GrpcAcceptor> acceptor_;
};

}  // namespace skein

#endif  // SKEIN_TRANSPORT_GRPC_SERVER_H_
