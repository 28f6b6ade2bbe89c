#include "skein/testing/wire_transport.h"

#include <string>
#include <utility>

#include "testing/forwarding_link.h"
#include "transport/frame_limits.h"
#include "transport/grpc/frame_bytes.h"

namespace skein::testing {
namespace {

class WireLink : public ForwardingLink {
 public:
  using ForwardingLink::ForwardingLink;

  void Send(Frame frame) override {
    grpc::ByteBuffer bytes = EncodeFrame(frame);
    if (absl::Status fits = CheckFrameSize(frame, bytes.Length()); !fits.ok()) {
      return Close(std::move(fits));
    }
    ReceivedFrame received = DecodeFrame(bytes);
    if (received.chunk) received.CopyChunk();
    if (!received.frame.ok()) return Close(received.frame.status());
    ForwardingLink::Send(*std::move(received.frame));
  }
};

class WireAcceptor : public Acceptor {
 public:
  explicit WireAcceptor(std::shared_ptr<Acceptor> inner) : inner_(std::move(inner)) {}
  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override {
    return inner_->OnLink(std::make_shared<WireLink>(std::move(link)));
  }

 private:
  const std::shared_ptr<Acceptor> inner_;
};

class WireTransport : public Transport {
 public:
  explicit WireTransport(std::shared_ptr<Transport> inner) : inner_(std::move(inner)) {}
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const std::string& address,
                                                   std::shared_ptr<Executor> executor,
                                                   std::shared_ptr<Acceptor> acceptor) override {
    return inner_->Listen(address, std::move(executor),
                          std::make_shared<WireAcceptor>(std::move(acceptor)));
  }
  std::shared_ptr<Link> Dial(const std::string& address, std::shared_ptr<Executor> executor,
                             std::shared_ptr<LinkHandler> handler) override {
    return std::make_shared<WireLink>(
        inner_->Dial(address, std::move(executor), std::move(handler)));
  }

 private:
  const std::shared_ptr<Transport> inner_;
};

}  // namespace

std::shared_ptr<Transport> MakeWireTransport(std::shared_ptr<Transport> inner) {
  return std::make_shared<WireTransport>(std::move(inner));
}

}  // namespace skein::testing
