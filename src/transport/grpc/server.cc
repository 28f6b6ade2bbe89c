#include "transport/grpc/server.h"

#include <chrono>
#include <utility>

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_callback.h>

#include "skein/v1/data_plane.grpc.pb.h"
#include "transport/grpc/channel.h"

namespace skein {
namespace {

constexpr auto kShutdownGrace = std::chrono::seconds(2);

// The server's reactor. Deletes itself in OnDone.
class ServerCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public FrameStream {
 public:
  ServerCall(grpc::CallbackServerContext* context, std::shared_ptr<StreamLink> link)
      : context_(context), link_(std::move(link)) {
    link_->Attach(this);
  }

  // FrameStream.
  void Read(grpc::ByteBuffer* into) override { StartRead(into); }
  void Write(const grpc::ByteBuffer* frame) override { StartWrite(frame); }
  void EndWrites() override { Finish(grpc::Status::OK); }
  void Cancel() override { context_->TryCancel(); }

  // Reactions.
  void OnReadDone(bool ok) override { link_->OnReadDone(ok); }
  void OnWriteDone(bool ok) override { link_->OnWriteDone(ok); }
  void OnCancel() override { link_->OnCancel(); }
  void OnDone() override {
    link_->OnDone(absl::OkStatus());
    delete this;
  }

 private:
  grpc::CallbackServerContext* const context_;
  const std::shared_ptr<StreamLink> link_;
};

}  // namespace

// Raw: frames come and go as bytes (frame_bytes.h).
class GrpcListener::Service final
    : public v1::DataPlane::WithRawCallbackMethod_Connect<v1::DataPlane::Service> {
 public:
  explicit Service(std::shared_ptr<GrpcAcceptor> acceptor) : acceptor_(std::move(acceptor)) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Connect(
      grpc::CallbackServerContext* context) override {
    return new ServerCall(context, acceptor_->NewLink());  // deletes itself
  }

 private:
  const std::shared_ptr<GrpcAcceptor> acceptor_;
};

std::shared_ptr<StreamLink> GrpcAcceptor::NewLink() {
  auto link = std::make_shared<StreamLink>(StreamLink::Role::kServer, executor_);
  bool open = false;
  {
    std::lock_guard lock(mutex_);
    open = acceptor_ != nullptr;
    // Forgets links that are over, at a constant cost per new one.
    if (links_.size() >= prune_at_) {
      std::erase_if(links_, [](const auto& weak) { return weak.expired(); });
      prune_at_ = 2 * links_.size() + 16;
    }
    if (open) {
      links_.push_back(link);
      memory_.Resize(kServerBytes + links_.size() * kStreamBytes);
    }
  }
  if (open) {
    executor_->Post([self = shared_from_this(), link] { self->Offer(link); });
  } else {
    link->Close(absl::UnavailableError("the parent stopped listening"));
  }
  return link;
}

void GrpcAcceptor::Offer(const std::shared_ptr<StreamLink>& link) {
  std::shared_ptr<Acceptor> acceptor;
  {
    std::lock_guard lock(mutex_);
    acceptor = acceptor_;
  }
  if (acceptor == nullptr) return;  // Shut has closed the link
  link->SetOffered();
  auto handle = std::make_shared<GrpcLink>(link);
  std::shared_ptr<LinkHandler> handler = acceptor->OnLink(handle);
  if (handler == nullptr) {
    link->Close(absl::UnavailableError("the parent refused the link"));
    return;
  }
  link->SetHandler(std::move(handler));
}

void GrpcAcceptor::Shut() {
  std::shared_ptr<Acceptor> acceptor;  // released outside the lock
  std::vector<std::weak_ptr<StreamLink>> links;
  {
    std::lock_guard lock(mutex_);
    acceptor.swap(acceptor_);
    links.swap(links_);
  }
  for (const auto& weak : links) {
    const std::shared_ptr<StreamLink> link = weak.lock();
    if (link == nullptr) continue;
    link->Close(link->offered() ? absl::OkStatus()
                                : absl::UnavailableError("the parent stopped listening"));
  }
}

absl::StatusOr<std::unique_ptr<Listener>> GrpcListener::Start(HostPort address,
                                                              std::shared_ptr<Executor> executor,
                                                              std::shared_ptr<Acceptor> acceptor) {
  auto accepting = std::make_shared<GrpcAcceptor>(std::move(executor), std::move(acceptor));
  auto service = std::make_unique<Service>(accepting);
  grpc::ServerBuilder builder;
  ConfigureServer(builder);
  int port = 0;
  builder.AddListeningPort(address.ToString(), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(service.get());
  builder.SetResourceQuota(accepting->memory());
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return absl::UnavailableError("cannot listen on " + address.ToString() +
                                  "; choose another address, or port 0 for any free port");
  }
  address.port = port;
  return std::unique_ptr<Listener>(new GrpcListener(std::move(address), std::move(accepting),
                                                    std::move(service), std::move(server)));
}

GrpcListener::GrpcListener(HostPort address, std::shared_ptr<GrpcAcceptor> acceptor,
                           std::unique_ptr<Service> service, std::unique_ptr<grpc::Server> server)
    : address_(std::move(address)),
      acceptor_(std::move(acceptor)),
      service_(std::move(service)),
      server_(std::move(server)) {}

GrpcListener::~GrpcListener() {
  acceptor_->Shut();
  server_->Shutdown(std::chrono::system_clock::now() + kShutdownGrace);
}

}  // namespace skein
