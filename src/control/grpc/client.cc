#include "control/grpc/client.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include "control/grpc/write_queue.h"
#include "runtime/control_proto.h"
#include "skein/base/status.h"
#include "skein/control/control_plane.h"
#include "skein/v1/control.grpc.pb.h"
#include "transport/grpc/channel.h"
#include "transport/grpc/grpc_status.h"

namespace skein {
namespace {

// How long calls get to end by themselves, and then to be cancelled, when their dialer goes.
constexpr auto kShutdownGrace = std::chrono::seconds(2);
constexpr auto kCancelGrace = std::chrono::seconds(5);

// The calls of one dialer that are under way. The last channel of a process joins the threads that
// run gRPC's callbacks, so it must not be destroyed on one of them: the dialer owns the channel and
// waits here for its calls. Thread-safe.
class LiveCalls {
 public:
  void Add(grpc::ClientContext* context) {
    std::lock_guard lock(mutex_);
    contexts_.insert(context);
  }
  // The call has ended; its context may be destroyed.
  void Remove(grpc::ClientContext* context) {
    std::lock_guard lock(mutex_);
    contexts_.erase(context);
    ++releasing_;
  }
  // It holds the channel no more.
  void Released() {
    std::lock_guard lock(mutex_);
    --releasing_;
    ended_.notify_all();
  }
  void Shutdown() {
    std::unique_lock lock(mutex_);
    const auto none_left = [this] { return contexts_.empty() && releasing_ == 0; };
    if (ended_.wait_for(lock, kShutdownGrace, none_left)) return;
    for (grpc::ClientContext* context : contexts_) context->TryCancel();
    ended_.wait_for(lock, kCancelGrace, none_left);
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  std::set<grpc::ClientContext*> contexts_;
  size_t releasing_ = 0;
};

// One stream. Keeps itself alive from Start until gRPC is done with it; a hold on the call lets
// other threads start writes in between, and is removed with the last of them.
class ClientCall final : public grpc::ClientBidiReactor<v1::NodeMessage, v1::ControlMessage>,
                         public WriteStream<v1::NodeMessage>,
                         public std::enable_shared_from_this<ClientCall> {
 public:
  ClientCall(const std::shared_ptr<grpc::Channel>& channel, std::shared_ptr<LiveCalls> calls,
             std::string place, std::shared_ptr<Executor> executor,
             std::shared_ptr<ControlHandler> handler)
      : calls_(std::move(calls)),
        place_(std::move(place)),
        executor_(std::move(executor)),
        handler_(std::move(handler)),
        stub_(v1::ControlPlane::NewStub(channel)),
        context_(std::make_unique<grpc::ClientContext>()),
        queue_(this) {}

  void Start() {
    self_ = shared_from_this();
    calls_->Add(context_.get());
    stub_->async()->Connect(context_.get(), this);
    AddHold();
    StartRead(&incoming_);
    StartCall();
  }

  WriteQueue<v1::NodeMessage>& queue() { return queue_; }

  // WriteStream.
  void Write(const v1::NodeMessage* message) override { StartWrite(message); }
  void End(const absl::Status& status) override {
    if (status.ok()) StartWritesDone();
    if (!protocol_error_.ok()) context_->TryCancel();
    RemoveHold();
  }

  // Reactions.
  void OnReadDone(bool ok) override {
    if (!ok) {
      // The other end is done; OnDone brings its status.
      queue_.Break(absl::UnavailableError("the control plane has closed the connection"));
      return;
    }
    auto message = FromProto(incoming_);
    if (!message.ok()) {
      protocol_error_ = Annotate(message.status(), "a message of the control plane is invalid");
      queue_.Break(protocol_error_);
      return;
    }
    executor_->Post([handler = handler_, message = *std::move(message)]() mutable {
      handler->OnControl(std::move(message));
    });
    StartRead(&incoming_);
  }
  void OnWriteDone(bool ok) override { queue_.OnWriteDone(ok); }
  void OnDone(const grpc::Status& status) override {
    calls_->Remove(context_.get());
    stub_.reset();
    context_.reset();
    calls_->Released();
    executor_->Post([handler = std::move(handler_), closed = Explain(FromGrpc(status))] {
      handler->OnControlClosed(closed);
    });
    self_.reset();
  }

 private:
  absl::Status Explain(const absl::Status& status) const {
    if (!protocol_error_.ok()) return protocol_error_;
    if (status.code() == absl::StatusCode::kUnavailable) {
      return Annotate(status, "the control plane at " + place_ + " cannot be reached");
    }
    return status;
  }

  const std::shared_ptr<LiveCalls> calls_;
  const std::string place_;
  const std::shared_ptr<Executor> executor_;
  std::shared_ptr<ControlHandler> handler_;
  std::unique_ptr<v1::ControlPlane::Stub> stub_;  // holds the channel, like the context
  std::unique_ptr<grpc::ClientContext> context_;
  v1::ControlMessage incoming_;
  absl::Status protocol_error_;
  WriteQueue<v1::NodeMessage> queue_;
  std::shared_ptr<ClientCall> self_;
};

class GrpcControlLink : public ControlLink {
 public:
  explicit GrpcControlLink(std::shared_ptr<ClientCall> call) : call_(std::move(call)) {}
  ~GrpcControlLink() override { Close(); }

  void Send(NodeMessage message) override { call_->queue().Push(ToProto(message)); }
  void Close() override { call_->queue().Close(absl::OkStatus()); }

 private:
  const std::shared_ptr<ClientCall> call_;
};

class ChannelDialer : public ControlDialer {
 public:
  ChannelDialer(std::shared_ptr<grpc::Channel> channel, std::string place)
      : channel_(std::move(channel)), place_(std::move(place)) {}
  ~ChannelDialer() override { calls_->Shutdown(); }

  std::shared_ptr<ControlLink> Connect(std::shared_ptr<Executor> executor,
                                       std::shared_ptr<ControlHandler> handler) override {
    auto call = std::make_shared<ClientCall>(channel_, calls_, place_, std::move(executor),
                                             std::move(handler));
    call->Start();
    return std::make_shared<GrpcControlLink>(std::move(call));
  }

 private:
  const std::shared_ptr<LiveCalls> calls_ = std::make_shared<LiveCalls>();
  const std::shared_ptr<grpc::Channel> channel_;
  const std::string place_;
};

// Stands in for a dialer whose address is no address.
class BadAddressDialer : public ControlDialer {
 public:
  explicit BadAddressDialer(absl::Status status) : status_(std::move(status)) {}

  std::shared_ptr<ControlLink> Connect(std::shared_ptr<Executor> executor,
                                       std::shared_ptr<ControlHandler> handler) override {
    executor->Post(
        [handler = std::move(handler), status = status_] { handler->OnControlClosed(status); });
    return std::make_shared<DeadLink>();
  }

 private:
  class DeadLink : public ControlLink {
    void Send(NodeMessage) override {}
    void Close() override {}
  };
  const absl::Status status_;
};

}  // namespace

std::shared_ptr<ControlDialer> MakeChannelDialer(std::shared_ptr<grpc::Channel> channel,
                                                 std::string place) {
  return std::make_shared<ChannelDialer>(std::move(channel), std::move(place));
}

std::shared_ptr<ControlDialer> MakeGrpcControlDialer(const std::string& address) {
  const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  if (!parsed.ok()) return std::make_shared<BadAddressDialer>(parsed.status());
  return MakeChannelDialer(MakeChannel(*parsed), address);
}

}  // namespace skein
