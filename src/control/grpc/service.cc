#include "control/grpc/service.h"

#include <chrono>
#include <mutex>
#include <utility>
#include <vector>

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_callback.h>

#include "control/grpc/client.h"
#include "control/grpc/runs_service.h"
#include "control/grpc/write_queue.h"
#include "runtime/control_proto.h"
#include "skein/base/status.h"
#include "skein/v1/control.grpc.pb.h"
#include "transport/frame_limits.h"
#include "transport/grpc/channel.h"
#include "transport/grpc/grpc_status.h"
#include "transport/grpc/port.h"

namespace skein {
namespace {

constexpr char kCannotListen[] = "the control plane cannot listen";
// Nodes that do not end their streams in this time are cut off.
constexpr auto kShutdownGrace = std::chrono::seconds(2);

// The control plane's handle on one stream. It may outlive the stream, and lets go of the control
// plane when the server shuts down.
class GrpcSession : public ControlSession, public std::enable_shared_from_this<GrpcSession> {
 public:
  GrpcSession(std::shared_ptr<ControlReceiver> receiver, WriteStream<v1::ControlMessage>* stream)
      : receiver_(std::move(receiver)), queue_(stream) {}

  void Send(ControlMessage message) override { queue_.Push(ToProto(message)); }
  void Close(absl::Status status) override { queue_.Close(std::move(status)); }

  void Received(NodeMessage message) {
    if (auto receiver = Receiver()) receiver->OnMessage(shared_from_this(), std::move(message));
  }
  // No message will come any more.
  void Ended(absl::Status status) {
    if (auto receiver = Release()) receiver->OnSessionClosed(shared_from_this(), std::move(status));
  }
  void Shut() {
    Ended(absl::OkStatus());
    Close(absl::UnavailableError("the control plane has shut down"));
  }
  WriteQueue<v1::ControlMessage>& queue() { return queue_; }

 private:
  std::shared_ptr<ControlReceiver> Receiver() {
    std::lock_guard lock(mutex_);
    return receiver_;
  }
  std::shared_ptr<ControlReceiver> Release() {
    std::lock_guard lock(mutex_);
    return std::exchange(receiver_, nullptr);
  }

  std::mutex mutex_;
  std::shared_ptr<ControlReceiver> receiver_;
  WriteQueue<v1::ControlMessage> queue_;
};

// The server's reactor. Deletes itself when gRPC is done with the stream.
class ServerCall final : public grpc::ServerBidiReactor<v1::NodeMessage, v1::ControlMessage>,
                         public WriteStream<v1::ControlMessage> {
 public:
  ServerCall(grpc::CallbackServerContext* context, std::shared_ptr<ControlReceiver> receiver)
      : context_(context), session_(std::make_shared<GrpcSession>(std::move(receiver), this)) {
    StartRead(&incoming_);
  }

  std::shared_ptr<GrpcSession> session() const { return session_; }

  // WriteStream.
  void Write(const v1::ControlMessage* message) override { StartWrite(message); }
  void End(const absl::Status& status) override { Finish(ToGrpc(status)); }

  // Reactions.
  void OnReadDone(bool ok) override {
    if (!ok) {
      session_->Ended(context_->IsCancelled() ? absl::CancelledError("the node went away")
                                              : absl::OkStatus());
      session_->Close(absl::OkStatus());
      return;
    }
    auto message = FromProto(incoming_);
    if (!message.ok()) {
      session_->Ended(message.status());
      session_->Close(message.status());
      return;
    }
    session_->Received(*std::move(message));
    StartRead(&incoming_);
  }
  void OnWriteDone(bool ok) override { session_->queue().OnWriteDone(ok); }
  void OnCancel() override { session_->queue().Break(absl::CancelledError("the node went away")); }
  void OnDone() override {
    session_->Ended(absl::OkStatus());
    delete this;
  }

 private:
  grpc::CallbackServerContext* const context_;
  v1::NodeMessage incoming_;
  const std::shared_ptr<GrpcSession> session_;
};

class Service final : public v1::ControlPlane::CallbackService {
 public:
  explicit Service(std::shared_ptr<ControlReceiver> receiver) : receiver_(std::move(receiver)) {}

  grpc::ServerBidiReactor<v1::NodeMessage, v1::ControlMessage>* Connect(
      grpc::CallbackServerContext* context) override {
    std::shared_ptr<ControlReceiver> receiver;
    {
      std::lock_guard lock(mutex_);
      receiver = receiver_;
    }
    auto* call = new ServerCall(context, receiver);  // deletes itself
    const std::shared_ptr<GrpcSession> session = call->session();
    bool open = false;
    {
      std::lock_guard lock(mutex_);
      open = receiver_ != nullptr;
      // Forgets sessions that are over, at a constant cost per new one.
      if (sessions_.size() >= prune_at_) {
        std::erase_if(sessions_, [](const auto& weak) { return weak.expired(); });
        prune_at_ = 2 * sessions_.size() + 16;
      }
      if (open) sessions_.push_back(session);
    }
    if (!open) session->Shut();
    return call;
  }

  void Shut() {
    std::vector<std::weak_ptr<GrpcSession>> sessions;
    std::shared_ptr<ControlReceiver> receiver;  // released outside the lock
    {
      std::lock_guard lock(mutex_);
      sessions.swap(sessions_);
      receiver.swap(receiver_);
    }
    for (const auto& weak : sessions) {
      if (auto session = weak.lock()) session->Shut();
    }
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<ControlReceiver> receiver_;
  std::vector<std::weak_ptr<GrpcSession>> sessions_;
  size_t prune_at_ = 64;
};

class GrpcControlServer : public ControlServer {
 public:
  GrpcControlServer(std::shared_ptr<ControlReceiver> receiver, std::shared_ptr<RunDesk> desk)
      : service_(std::move(receiver)) {
    if (desk != nullptr) runs_ = std::make_unique<RunsService>(std::move(desk));
  }
  ~GrpcControlServer() override {
    port_.reset();
    service_.Shut();
    if (runs_ != nullptr) runs_->Shut();
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now() + kShutdownGrace);
  }

  absl::Status Start(const std::string& address, bool insecure) {
    grpc::ServerBuilder builder;
    ConfigureServer(builder);
    builder.RegisterService(&service_);
    if (runs_ != nullptr) builder.RegisterService(runs_.get());
    HostPort place;
    if (!address.empty()) {
      SKEIN_RETURN_IF_ERROR(CheckControlAddress(address, insecure));
      SKEIN_ASSIGN_OR_RETURN(place, ParseHostPort(address));
      auto port = Port::Open(place, builder);
      if (!port.ok()) return Annotate(port.status(), kCannotListen);
      port_ = *std::move(port);
    }
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) {
      return absl::UnavailableError("the control plane cannot listen: gRPC gives no reason");
    }
    if (port_ != nullptr) {
      port_->Start();
      place.port = port_->number();
      address_ = place.ToString();
    }
    return absl::OkStatus();
  }

  std::string address() const override { return address_; }

  std::shared_ptr<ControlDialer> InProcess() override {
    grpc::ChannelArguments args;
    args.SetMaxReceiveMessageSize(static_cast<int>(kMaxFrameBytes));
    args.SetMaxSendMessageSize(static_cast<int>(kMaxFrameBytes));
    return MakeChannelDialer(server_->InProcessChannel(args), "this process");
  }

 private:
  Service service_;
  std::unique_ptr<RunsService> runs_;  // null: nobody hands in runs
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Port> port_;  // null: only from inside this process
};

}  // namespace

absl::Status CheckControlAddress(const std::string& address, bool insecure) {
  SKEIN_ASSIGN_OR_RETURN(const HostPort place, ParseHostPort(address));
  return Annotate(CheckListenAddress(place, insecure), kCannotListen);
}

absl::StatusOr<std::unique_ptr<ControlServer>> StartControlServer(ControlServerOptions options) {
  auto server =
      std::make_unique<GrpcControlServer>(std::move(options.receiver), std::move(options.desk));
  SKEIN_RETURN_IF_ERROR(server->Start(options.address, options.insecure));
  return server;
}

absl::StatusOr<std::unique_ptr<ControlServer>> StartControlServer(
    std::shared_ptr<ControlReceiver> receiver, const std::string& address, bool insecure) {
  return StartControlServer({std::move(receiver), nullptr, address, insecure});
}

}  // namespace skein
