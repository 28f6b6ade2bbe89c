#ifndef SKEIN_TRANSPORT_GRPC_SERVER_H_
#define SKEIN_TRANSPORT_GRPC_SERVER_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>

#include "skein/transport/transport.h"
#include "transport/grpc/address.h"
#include "transport/grpc/stream_link.h"

namespace skein {

// Accepts streams for one Listen. Thread-safe; shared by the listener and the calls.
class GrpcAcceptor : public std::enable_shared_from_this<GrpcAcceptor> {
 public:
  // What gRPC may hold for a server and its streams. Without a bound, each stream that has carried
  // a chunk keeps a buffer as large; with this one those of idle streams are taken from them.
  static constexpr size_t kServerBytes = size_t{64} << 20;
  static constexpr size_t kStreamBytes = size_t{64} << 10;

  GrpcAcceptor(std::shared_ptr<Executor> executor, std::shared_ptr<Acceptor> acceptor)
      : executor_(std::move(executor)), acceptor_(std::move(acceptor)) {
    memory_.Resize(kServerBytes);
  }

  // A link for a stream that has come in, to be offered to the acceptor on its executor.
  std::shared_ptr<StreamLink> NewLink();
  // Closes all links and offers no more.
  void Shut();
  // Grows with the number of streams.
  const grpc::ResourceQuota& memory() const { return memory_; }

 private:
  void Offer(const std::shared_ptr<StreamLink>& link);

  const std::shared_ptr<Executor> executor_;
  std::mutex mutex_;
  std::shared_ptr<Acceptor> acceptor_;  // null once shut
  std::vector<std::weak_ptr<StreamLink>> links_;
  size_t prune_at_ = 16;
  grpc::ResourceQuota memory_;
};

class GrpcListener final : public Listener {
 public:
  static absl::StatusOr<std::unique_ptr<Listener>> Start(HostPort address,
                                                         std::shared_ptr<Executor> executor,
                                                         std::shared_ptr<Acceptor> acceptor);
  // Waits until all calls have ended, at most for the grace given to them; needs no executor.
  ~GrpcListener() override;

  std::string address() const override { return address_.ToString(); }

 private:
  class Service;

  GrpcListener(HostPort address, std::shared_ptr<GrpcAcceptor> acceptor,
               std::unique_ptr<Service> service, std::unique_ptr<grpc::Server> server);

  const HostPort address_;
  const std::shared_ptr<GrpcAcceptor> acceptor_;
  const std::unique_ptr<Service> service_;
  const std::unique_ptr<grpc::Server> server_;
};

}  // namespace skein

#endif  // SKEIN_TRANSPORT_GRPC_SERVER_H_
