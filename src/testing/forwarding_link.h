#ifndef SKEIN_SRC_TESTING_FORWARDING_LINK_H_
#define SKEIN_SRC_TESTING_FORWARDING_LINK_H_

#include <memory>
#include <utility>

#include "skein/transport/transport.h"

namespace skein::testing {

// Another link, for those that change or watch some of what it does.
class ForwardingLink : public Link {
 public:
  explicit ForwardingLink(std::shared_ptr<Link> inner) : inner_(std::move(inner)) {}
  void Send(Frame frame) override { inner_->Send(std::move(frame)); }
  bool Writable() const override { return inner_->Writable(); }
  void Close(absl::Status status) override { inner_->Close(std::move(status)); }
  LinkStats stats() const override { return inner_->stats(); }
  void Receive(uint64_t transfer, std::shared_ptr<ChunkSink> sink) override {
    inner_->Receive(transfer, std::move(sink));
  }

 private:
  const std::shared_ptr<Link> inner_;
};

}  // namespace skein::testing

#endif  // SKEIN_SRC_TESTING_FORWARDING_LINK_H_
