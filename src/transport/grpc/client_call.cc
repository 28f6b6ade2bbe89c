#include "transport/grpc/client_call.h"

#include <chrono>
#include <utility>

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/client_callback.h>

#include "skein/base/status.h"
#include "transport/grpc/channel.h"
#include "transport/grpc/grpc_status.h"

namespace skein {
namespace {

// DataPlane.Connect of proto/skein/v1/data_plane.proto, called with bytes (frame_bytes.h).
constexpr char kMethod[] = "/skein.v1.DataPlane/Connect";
constexpr auto kShutdownGrace = std::chrono::seconds(2);
constexpr auto kCancelGrace = std::chrono::seconds(10);

}  // namespace

// The client's reactor. Deletes itself in OnDone.
class ClientCalls::Call final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                                public FrameStream {
 public:
  Call(std::shared_ptr<ClientCalls> calls, const RoutedAddress& address,
       std::shared_ptr<StreamLink> link)
      : calls_(std::move(calls)),
        address_(address.ToString()),
        channel_(MakeChannel(address.place)),
        stub_(std::make_unique<grpc::GenericStub>(channel_)),
        link_(std::move(link)),
        context_(std::make_unique<grpc::ClientContext>()) {
    if (!address.route.empty()) context_->AddMetadata(kRouteKey, address.route);
  }

  void Start() {
    stub_->PrepareBidiStreamingCall(context_.get(), kMethod, {}, this);
    AddHold();  // for operations from other threads; until the last read
    // Held here, since the call may be over before Attach returns.
    const std::shared_ptr<StreamLink> link = link_;
    StartCall();
    link->Attach(this);
  }

  // FrameStream.
  void Read(grpc::ByteBuffer* into) override { StartRead(into); }
  void Write(const grpc::ByteBuffer* frame, bool more) override {
    StartWrite(frame, more ? grpc::WriteOptions().set_buffer_hint() : grpc::WriteOptions());
  }
  void EndWrites() override { StartWritesDone(); }
  void Cancel() override { context_->TryCancel(); }

  // Reactions.
  void OnReadDone(bool ok) override {
    link_->OnReadDone(ok);
    if (!ok) RemoveHold();
  }
  void OnWriteDone(bool ok) override { link_->OnWriteDone(ok); }
  void OnDone(const grpc::Status& status) override {
    link_->OnDone(Explain(status));
    // The stub and the context hold the channel too, which must not die here.
    calls_->Forget(this);
    stub_.reset();
    context_.reset();
    calls_->Bury(std::move(channel_));
    delete this;
  }

 private:
  // A call that the other side cancelled, or that died in transport, is a lost connection.
  absl::Status Explain(const grpc::Status& status) const {
    absl::Status result = FromGrpc(status);
    if (absl::IsCancelled(result) || absl::IsUnknown(result)) {
      result = absl::UnavailableError(Message(result));
    }
    return Annotate(result, "link to " + address_);
  }

  const std::shared_ptr<ClientCalls> calls_;
  const std::string address_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
  const std::shared_ptr<StreamLink> link_;
  std::unique_ptr<grpc::ClientContext> context_;
};

void ClientCalls::Start(const RoutedAddress& address, std::shared_ptr<StreamLink> link) {
  Reap();
  auto* call = new Call(shared_from_this(), address, std::move(link));  // deletes itself
  {
    std::lock_guard lock(mutex_);
    calls_.insert(call);
    ++live_;
  }
  call->Start();
}

void ClientCalls::Reap() {
  std::vector<std::shared_ptr<grpc::Channel>> dead;
  std::lock_guard lock(mutex_);
  dead.swap(dead_);
}

void ClientCalls::Shutdown() {
  {
    std::unique_lock lock(mutex_);
    const auto none_left = [this] { return live_ == 0; };
    if (!ended_.wait_for(lock, kShutdownGrace, none_left)) {
      for (Call* call : calls_) call->Cancel();
      ended_.wait_for(lock, kCancelGrace, none_left);
    }
  }
  Reap();
}

void ClientCalls::Forget(Call* call) {
  std::lock_guard lock(mutex_);
  calls_.erase(call);
}

void ClientCalls::Bury(std::shared_ptr<grpc::Channel> channel) {
  std::lock_guard lock(mutex_);
  dead_.push_back(std::move(channel));
  --live_;
  ended_.notify_all();
}

}  // namespace skein
