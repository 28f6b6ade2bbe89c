#include <memory>
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
    SKEIN_ASSIGN_OR_RETURN(HostPort parsed, ParseHostPort(address));
    SKEIN_RETURN_IF_ERROR(CheckListenAddress(parsed, options_.insecure));
    return GrpcListener::Start(std::move(parsed), std::move(executor), std::move(acceptor));
  }

  std::shared_ptr<Link> Dial(const std::string& address, std::shared_ptr<Executor> executor,
                             std::shared_ptr<LinkHandler> handler) override {
    auto link = std::make_shared<StreamLink>(StreamLink::Role::kClient, std::move(executor));
    link->SetHandler(std::move(handler));
    const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
    if (parsed.ok()) {
      calls_->Start(*parsed, link);
    } else {
      link->OnDone(parsed.status());
    }
    return std::make_shared<GrpcLink>(std::move(link));
  }

 private:
  const GrpcTransportOptions options_;
  const std::shared_ptr<ClientCalls> calls_ = std::make_shared<ClientCalls>();
};

}  // namespace

std::shared_ptr<Transport> MakeGrpcTransport(const GrpcTransportOptions& options) {
  return std::make_shared<GrpcTransport>(options);
}

}  // namespace skein
