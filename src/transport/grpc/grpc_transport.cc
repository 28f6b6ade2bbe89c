#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "skein/base/status.h"
#include "skein/transport/transport.h"
#include "transport/grpc/address.h"
#include "transport/grpc/client_call.h"
#include "transport/grpc/server.h"

namespace skein {
namespace {

class GrpcTransport final : public Transport {
 public:
  explicit GrpcTransport(const GrpcTransportOptions& options) : options_(options) {}
  ~GrpcTransport() override { calls_->Shutdown(); }

  absl::StatusOr<std::unique_ptr<Listener>> Listen(const std::string& address,
                                                   std::shared_ptr<Executor> executor,
                                                   std::shared_ptr<Acceptor> acceptor) override {
    SKEIN_ASSIGN_OR_RETURN(RoutedAddress parsed, ParseRoutedAddress(address));
    SKEIN_ASSIGN_OR_RETURN(std::shared_ptr<GrpcServer> server, ServerAt(parsed));
    return GrpcListener::Start(std::move(server), std::move(parsed.route), std::move(executor),
                               std::move(acceptor));
  }

  std::shared_ptr<Link> Dial(const std::string& address, std::shared_ptr<Executor> executor,
                             std::shared_ptr<LinkHandler> handler) override {
    auto link = std::make_shared<StreamLink>(StreamLink::Role::kClient, std::move(executor));
    link->SetHandler(std::move(handler));
    const absl::StatusOr<RoutedAddress> parsed = ParseRoutedAddress(address);
    if (parsed.ok()) {
      calls_->Start(*parsed, link);
    } else {
      link->OnDone(parsed.status());
    }
    return std::make_shared<GrpcLink>(std::move(link));
  }

 private:
  // With a route: that of the port that others have already.
  absl::StatusOr<std::shared_ptr<GrpcServer>> ServerAt(const RoutedAddress& address) {
    if (address.route.empty()) return NewServer(address.place);
    std::lock_guard lock(mutex_);
    std::weak_ptr<GrpcServer>& shared = shared_[address.place.ToString()];
    if (std::shared_ptr<GrpcServer> server = shared.lock()) return server;
    SKEIN_ASSIGN_OR_RETURN(std::shared_ptr<GrpcServer> server, NewServer(address.place));
    shared = server;
    return server;
  }

  absl::StatusOr<std::shared_ptr<GrpcServer>> NewServer(const HostPort& place) const {
    SKEIN_RETURN_IF_ERROR(CheckListenAddress(place, options_.insecure));
    return GrpcServer::Start(place);
  }

  const GrpcTransportOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<GrpcServer>> shared_;  // by the address that was asked for
  const std::shared_ptr<ClientCalls> calls_ = std::make_shared<ClientCalls>();
};

}  // namespace

std::shared_ptr<Transport> MakeGrpcTransport(const GrpcTransportOptions& options) {
  return std::make_shared<GrpcTransport>(options);
}

}  // namespace skein
