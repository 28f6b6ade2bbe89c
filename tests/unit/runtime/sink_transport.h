#ifndef SKEIN_TESTS_UNIT_RUNTIME_SINK_TRANSPORT_H_
#define SKEIN_TESTS_UNIT_RUNTIME_SINK_TRANSPORT_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "skein/transport/transport.h"

namespace skein {

using Sinks = std::map<uint64_t, std::shared_ptr<ChunkSink>>;  // by transfer

// Links that can take chunks past their handler, as those of gRPC can; the test does so by hand.
class SinkLink : public Link {
 public:
  SinkLink(std::shared_ptr<Link> link, std::shared_ptr<Sinks> sinks)
      : link_(std::move(link)), sinks_(std::move(sinks)) {}
  void Send(Frame frame) override { link_->Send(std::move(frame)); }
  bool Writable() const override { return link_->Writable(); }
  void Close(absl::Status status) override { link_->Close(std::move(status)); }
  LinkStats stats() const override { return link_->stats(); }
  void Receive(uint64_t transfer, std::shared_ptr<ChunkSink> sink) override {
    (*sinks_)[transfer] = std::move(sink);
  }

 private:
  const std::shared_ptr<Link> link_;
  const std::shared_ptr<Sinks> sinks_;
};

class SinkAcceptor : public Acceptor {
 public:
  SinkAcceptor(std::shared_ptr<Acceptor> acceptor, std::shared_ptr<Sinks> sinks)
      : acceptor_(std::move(acceptor)), sinks_(std::move(sinks)) {}
  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override {
    return acceptor_->OnLink(std::make_shared<SinkLink>(std::move(link), sinks_));
  }

 private:
  const std::shared_ptr<Acceptor> acceptor_;
  const std::shared_ptr<Sinks> sinks_;
};

class SinkTransport : public Transport {
 public:
  SinkTransport(std::shared_ptr<Transport> transport, std::shared_ptr<Sinks> sinks)
      : transport_(std::move(transport)), sinks_(std::move(sinks)) {}
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const std::string& address,
                                                   std::shared_ptr<Executor> executor,
                                                   std::shared_ptr<Acceptor> acceptor) override {
    return transport_->Listen(address, std::move(executor),
                              std::make_shared<SinkAcceptor>(std::move(acceptor), sinks_));
  }
  std::shared_ptr<Link> Dial(const std::string& address, std::shared_ptr<Executor> executor,
                             std::shared_ptr<LinkHandler> handler) override {
    return std::make_shared<SinkLink>(
        transport_->Dial(address, std::move(executor), std::move(handler)), sinks_);
  }

 private:
  const std::shared_ptr<Transport> transport_;
  const std::shared_ptr<Sinks> sinks_;
};

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_RUNTIME_SINK_TRANSPORT_H_
