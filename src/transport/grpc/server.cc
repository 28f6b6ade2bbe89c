#include "transport/grpc/server.h"

#include <chrono>
#include <utility>

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_callback.h>

#include "skein/base/status.h"
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
  void Write(const grpc::ByteBuffer* frame, bool more) override {
    StartWrite(frame, more ? grpc::WriteOptions().set_buffer_hint() : grpc::WriteOptions());
  }
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

// Answers a call for a listener that is not here.
class RefusedCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit RefusedCall(const std::string& why) {
    Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, why));
  }
  void OnDone() override { delete this; }
};

std::string RouteOf(const grpc::CallbackServerContext& context) {
  const auto route = context.client_metadata().find(kRouteKey);
  if (route == context.client_metadata().end()) return "";
  return std::string(route->second.data(), route->second.size());
}

}  // namespace

// Raw: frames come and go as bytes (frame_bytes.h).
class GrpcServer::Service final
    : public v1::DataPlane::WithRawCallbackMethod_Connect<v1::DataPlane::Service> {
 public:
  explicit Service(GrpcServer* server) : server_(server) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Connect(
      grpc::CallbackServerContext* context) override {
    // Both delete themselves.
    const std::shared_ptr<GrpcAcceptor> acceptor = server_->Find(RouteOf(*context));
    if (acceptor == nullptr) return new RefusedCall("the parent stopped listening");
    return new ServerCall(context, acceptor->NewLink());
  }

 private:
  GrpcServer* const server_;  // which shuts down before it goes
};

void StreamMemory::Change(size_t before, size_t now) {
  std::lock_guard lock(mutex_);
  streams_ = streams_ - before + now;
  quota_.Resize(kServerBytes + streams_ * kStreamBytes);
}

std::shared_ptr<StreamLink> GrpcAcceptor::NewLink() {
  auto link = std::make_shared<StreamLink>(StreamLink::Role::kServer, executor_);
  bool open = false;
  {
    std::lock_guard lock(mutex_);
    const size_t before = links_.size();
    open = acceptor_ != nullptr;
    // Forgets links that are over, at a constant cost per new one.
    if (links_.size() >= prune_at_) {
      std::erase_if(links_, [](const auto& weak) { return weak.expired(); });
      prune_at_ = 2 * links_.size() + 16;
    }
    if (open) links_.push_back(link);
    memory_->Change(before, links_.size());
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

GrpcServer::GrpcServer() : service_(std::make_unique<Service>(this)) {}

absl::StatusOr<std::shared_ptr<GrpcServer>> GrpcServer::Start(HostPort address) {
  std::shared_ptr<GrpcServer> started(new GrpcServer());
  grpc::ServerBuilder builder;
  ConfigureServer(builder);
  SKEIN_ASSIGN_OR_RETURN(started->port_, Port::Open(address, builder));
  builder.RegisterService(started->service_.get());
  builder.SetResourceQuota(started->memory_->quota());
  started->server_ = builder.BuildAndStart();
  if (started->server_ == nullptr) {
    return absl::UnavailableError("cannot listen on " + address.ToString() +
                                  ": gRPC gives no reason");
  }
  started->port_->Start();
  address.port = started->port_->number();
  started->address_ = std::move(address);
  return started;
}

GrpcServer::~GrpcServer() {
  port_.reset();
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now() + kShutdownGrace);
}

absl::StatusOr<std::shared_ptr<GrpcAcceptor>> GrpcServer::Add(const std::string& route,
                                                              std::shared_ptr<Executor> executor,
                                                              std::shared_ptr<Acceptor> acceptor) {
  auto accepting =
      std::make_shared<GrpcAcceptor>(std::move(executor), std::move(acceptor), memory_);
  std::lock_guard lock(mutex_);
  if (routes_.emplace(route, accepting).second) return accepting;
  return absl::AlreadyExistsError("somebody listens at " +
                                  RoutedAddress{address_, route}.ToString() + " already");
}

void GrpcServer::Remove(const std::string& route) {
  std::lock_guard lock(mutex_);
  routes_.erase(route);
}

std::shared_ptr<GrpcAcceptor> GrpcServer::Find(const std::string& route) {
  std::lock_guard lock(mutex_);
  if (route.empty() && routes_.size() == 1) return routes_.begin()->second;
  const auto found = routes_.find(route);
  return found == routes_.end() ? nullptr : found->second;
}

absl::StatusOr<std::unique_ptr<Listener>> GrpcListener::Start(std::shared_ptr<GrpcServer> server,
                                                              std::string route,
                                                              std::shared_ptr<Executor> executor,
                                                              std::shared_ptr<Acceptor> acceptor) {
  SKEIN_ASSIGN_OR_RETURN(auto accepting,
                         server->Add(route, std::move(executor), std::move(acceptor)));
  return std::unique_ptr<Listener>(
      new GrpcListener(std::move(server), std::move(route), std::move(accepting)));
}

GrpcListener::~GrpcListener() {
  server_->Remove(route_);
  acceptor_->Shut();
}

}  // namespace skein
