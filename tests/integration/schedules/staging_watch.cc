#include "integration/schedules/staging_watch.h"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

namespace skein {
namespace {

// The uploads at one parent.
class Parent {
 public:
  explicit Parent(std::shared_ptr<StagingWatch> watch) : watch_(std::move(watch)) {}

  void Offered(const void* link, uint64_t transfer, uint64_t bytes) {
    offered_[{link, transfer}] = bytes;
  }
  void Granted(const void* link, uint64_t transfer) {
    const auto it = offered_.find({link, transfer});
    if (it == offered_.end()) return;
    granted_[it->first] = it->second;
    uint64_t sum = 0;
    for (const auto& [id, bytes] : granted_) sum += bytes;
    uint64_t& most = granted_.size() == 1 ? watch_->most_single : watch_->most_bytes;
    most = std::max(most, sum);
  }
  void Answered(const void* link, uint64_t transfer) {
    offered_.erase({link, transfer});
    granted_.erase({link, transfer});
  }
  void Closed(const void* link) {
    const auto of_link = [&](const auto& entry) { return entry.first.first == link; };
    std::erase_if(offered_, of_link);
    std::erase_if(granted_, of_link);
  }
  // The child is here on this link; what it had on others is void.
  void Hello(const void* link, const NodeId& child) {
    const auto [it, fresh] = links_.try_emplace(child, link);
    if (!fresh && it->second != link) Closed(std::exchange(it->second, link));
  }

 private:
  using Id = std::pair<const void*, uint64_t>;
  const std::shared_ptr<StagingWatch> watch_;
  std::map<Id, uint64_t> offered_, granted_;
  std::map<NodeId, const void*> links_;
};

class WatchedLink final : public Link {
 public:
  WatchedLink(std::shared_ptr<Link> inner, std::shared_ptr<Parent> parent)
      : inner_(std::move(inner)), parent_(std::move(parent)) {}
  ~WatchedLink() override { parent_->Closed(inner_.get()); }

  void Send(Frame frame) override {
    if (const auto* grant = std::get_if<GrantFrame>(&frame)) {
      parent_->Granted(inner_.get(), grant->transfer);
    } else if (const auto* ack = std::get_if<AckFrame>(&frame)) {
      parent_->Answered(inner_.get(), ack->transfer);
    }
    inner_->Send(std::move(frame));
  }
  bool Writable() const override { return inner_->Writable(); }
  void Close(absl::Status status) override {
    parent_->Closed(inner_.get());
    inner_->Close(std::move(status));
  }
  LinkStats stats() const override { return inner_->stats(); }

 private:
  const std::shared_ptr<Link> inner_;
  const std::shared_ptr<Parent> parent_;
};

class WatchedHandler final : public LinkHandler {
 public:
  WatchedHandler(std::shared_ptr<LinkHandler> inner, std::shared_ptr<Parent> parent,
                 const void* link)
      : inner_(std::move(inner)), parent_(std::move(parent)), link_(link) {}

  void OnFrame(Frame frame) override {
    if (const auto* hello = std::get_if<HelloFrame>(&frame)) {
      parent_->Hello(link_, hello->node);
    } else if (const auto* offer = std::get_if<OfferFrame>(&frame)) {
      parent_->Offered(link_, offer->transfer, offer->size());
    }
    inner_->OnFrame(std::move(frame));
  }
  void OnWritable() override { inner_->OnWritable(); }
  void OnClosed(absl::Status status) override {
    parent_->Closed(link_);
    inner_->OnClosed(std::move(status));
  }

 private:
  const std::shared_ptr<LinkHandler> inner_;
  const std::shared_ptr<Parent> parent_;
  const void* const link_;
};

class WatchedAcceptor final : public Acceptor {
 public:
  WatchedAcceptor(std::shared_ptr<Acceptor> inner, std::shared_ptr<StagingWatch> watch)
      : inner_(std::move(inner)), parent_(std::make_shared<Parent>(std::move(watch))) {}

  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override {
    const void* const key = link.get();
    auto handler = inner_->OnLink(std::make_shared<WatchedLink>(std::move(link), parent_));
    if (handler == nullptr) return nullptr;
    return std::make_shared<WatchedHandler>(std::move(handler), parent_, key);
  }

 private:
  const std::shared_ptr<Acceptor> inner_;
  const std::shared_ptr<Parent> parent_;
};

class WatchedTransport final : public Transport {
 public:
  WatchedTransport(std::shared_ptr<Transport> inner, std::shared_ptr<StagingWatch> watch)
      : inner_(std::move(inner)), watch_(std::move(watch)) {}

  absl::StatusOr<std::unique_ptr<Listener>> Listen(const std::string& address,
                                                   std::shared_ptr<Executor> executor,
                                                   std::shared_ptr<Acceptor> acceptor) override {
    return inner_->Listen(address, std::move(executor),
                          std::make_shared<WatchedAcceptor>(std::move(acceptor), watch_));
  }
  std::shared_ptr<Link> Dial(const std::string& address, std::shared_ptr<Executor> executor,
                             std::shared_ptr<LinkHandler> handler) override {
    return inner_->Dial(address, std::move(executor), std::move(handler));
  }

 private:
  const std::shared_ptr<Transport> inner_;
  const std::shared_ptr<StagingWatch> watch_;
};

}  // namespace

std::shared_ptr<Transport> WatchStaging(std::shared_ptr<Transport> inner,
                                        std::shared_ptr<StagingWatch> watch) {
  return std::make_shared<WatchedTransport>(std::move(inner), std::move(watch));
}

}  // namespace skein
