#include "skein/testing/faulty_transport.h"

#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "transport/delayed_frames.h"

namespace skein::testing {
namespace {

// A copy of the chunk with its middle bit flipped; its checksum stays that of the original.
ChunkFrame FlipBit(const ChunkFrame& chunk) {
  auto payload = std::make_shared<std::vector<std::byte>>(chunk.bytes.begin(), chunk.bytes.end());
  (*payload)[payload->size() / 2] ^= std::byte{0x10};
  ChunkFrame result = chunk;
  result.bytes = std::span<const std::byte>(*payload);
  result.owner = std::move(payload);
  return result;
}

// One end of a link, as the inner transport's handler. Faults strike where frames arrive: those
// sent up at the parent, those sent down at the child. Lives on the end's executor except for what
// the mutex guards.
class FaultyEnd final : public LinkHandler, public std::enable_shared_from_this<FaultyEnd> {
 public:
  FaultyEnd(std::shared_ptr<Executor> executor, FaultPlan plan, bool parent)
      : executor_(std::move(executor)), plan_(std::move(plan)), parent_(parent) {}

  void SetHandler(std::shared_ptr<LinkHandler> handler) {
    std::lock_guard lock(mutex_);
    handler_ = std::move(handler);
  }

  void SetLink(const std::shared_ptr<Link>& link) {
    bool cut = false;
    {
      std::lock_guard lock(mutex_);
      link_ = link;
      cut = cut_;
    }
    if (cut) Cut();
  }

  void NoteHello(const Frame& frame) {
    const auto* hello = std::get_if<HelloFrame>(&frame);
    if (hello == nullptr) return;
    std::lock_guard lock(mutex_);
    node_ = hello->node;
  }

  // The user has closed: what is delayed is not for its handler any more.
  void CloseHere() {
    std::lock_guard lock(mutex_);
    closed_here_ = true;
  }

  void OnFrame(Frame frame) override {
    if (parent_) NoteHello(frame);
    FrameContext context;
    context.up = parent_;
    context.n = count_++;
    context.frame = &frame;
    {
      std::lock_guard lock(mutex_);
      context.node = node_;
      if (cut_ || stalled_) return;
    }
    const Fault fault = plan_(context);
    auto* chunk = std::get_if<ChunkFrame>(&frame);
    switch (fault.kind) {
      case Fault::Kind::kNone:
        break;
      case Fault::Kind::kDrop:
        return;
      case Fault::Kind::kDuplicate:
        Deliver(frame);
        break;
      case Fault::Kind::kDelay:
        delay_ += fault.delay;
        break;
      case Fault::Kind::kCorrupt:
        if (chunk == nullptr || chunk->bytes.empty()) return;
        frame = FlipBit(*chunk);
        break;
      case Fault::Kind::kCut:
        Cut();
        return;
      case Fault::Kind::kStall:
        stalled_ = true;
        executor_->PostAt(executor_->Now() + fault.delay, [weak = weak_from_this()] {
          if (const auto self = weak.lock()) self->Cut();
        });
        return;
    }
    Deliver(std::move(frame));
  }

  void OnWritable() override {
    if (const auto handler = this->handler()) handler->OnWritable();
  }

  void OnClosed(absl::Status status) override {
    Delayed().Then(executor_->Now() + delay_,
                   [self = shared_from_this(), status = std::move(status)] {
                     std::shared_ptr<LinkHandler> handler;
                     {
                       std::lock_guard lock(self->mutex_);
                       handler.swap(self->handler_);
                     }
                     if (handler != nullptr) handler->OnClosed(status);
                   });
  }

 private:
  std::shared_ptr<LinkHandler> handler() {
    std::lock_guard lock(mutex_);
    return handler_;
  }

  void Cut() {
    std::shared_ptr<Link> link;
    {
      std::lock_guard lock(mutex_);
      cut_ = true;
      link = link_.lock();
    }
    if (link != nullptr) link->Close(absl::UnavailableError("the link was cut"));
  }

  void Deliver(Frame frame) { Delayed().Add(executor_->Now() + delay_, std::move(frame)); }

  DelayedFrames& Delayed() {
    if (delayed_ == nullptr) {
      delayed_ = std::make_shared<DelayedFrames>(executor_, [weak = weak_from_this()](Frame frame) {
        const auto self = weak.lock();
        if (self == nullptr) return;
        std::shared_ptr<LinkHandler> handler;
        {
          std::lock_guard lock(self->mutex_);
          if (!self->closed_here_) handler = self->handler_;
        }
        if (handler != nullptr) handler->OnFrame(std::move(frame));
      });
    }
    return *delayed_;
  }

  const std::shared_ptr<Executor> executor_;
  const FaultPlan plan_;
  const bool parent_;

  std::mutex mutex_;
  std::shared_ptr<LinkHandler> handler_;  // null after OnClosed
  std::weak_ptr<Link> link_;
  NodeId node_;
  bool cut_ = false;
  bool closed_here_ = false;

  uint64_t count_ = 0;
  bool stalled_ = false;
  Duration delay_{0};
  std::shared_ptr<DelayedFrames> delayed_;
};

class FaultyLink final : public Link {
 public:
  FaultyLink(std::shared_ptr<Link> inner, std::shared_ptr<FaultyEnd> end, bool child)
      : inner_(std::move(inner)), end_(std::move(end)), child_(child) {}
  ~FaultyLink() override { Close(absl::OkStatus()); }

  void Send(Frame frame) override {
    if (child_) end_->NoteHello(frame);
    inner_->Send(std::move(frame));
  }
  bool Writable() const override { return inner_->Writable(); }
  void Close(absl::Status status) override {
    end_->CloseHere();
    inner_->Close(std::move(status));
  }
  LinkStats stats() const override { return inner_->stats(); }

 private:
  const std::shared_ptr<Link> inner_;
  const std::shared_ptr<FaultyEnd> end_;
  const bool child_;
};

class FaultyAcceptor final : public Acceptor {
 public:
  FaultyAcceptor(std::shared_ptr<Acceptor> inner, std::shared_ptr<Executor> executor,
                 FaultPlan plan)
      : inner_(std::move(inner)), executor_(std::move(executor)), plan_(std::move(plan)) {}

  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override {
    auto end = std::make_shared<FaultyEnd>(executor_, plan_, /*parent=*/true);
    end->SetLink(link);
    auto handler = inner_->OnLink(std::make_shared<FaultyLink>(link, end, /*child=*/false));
    if (handler == nullptr) return nullptr;
    end->SetHandler(std::move(handler));
    return end;
  }

 private:
  const std::shared_ptr<Acceptor> inner_;
  const std::shared_ptr<Executor> executor_;
  const FaultPlan plan_;
};

class FaultyTransport final : public Transport {
 public:
  FaultyTransport(std::shared_ptr<Transport> inner, FaultPlan plan)
      : inner_(std::move(inner)), plan_(std::move(plan)) {}

  absl::StatusOr<std::unique_ptr<Listener>> Listen(const std::string& address,
                                                   std::shared_ptr<Executor> executor,
                                                   std::shared_ptr<Acceptor> acceptor) override {
    auto faulty = std::make_shared<FaultyAcceptor>(std::move(acceptor), executor, plan_);
    return inner_->Listen(address, std::move(executor), std::move(faulty));
  }

  std::shared_ptr<Link> Dial(const std::string& address, std::shared_ptr<Executor> executor,
                             std::shared_ptr<LinkHandler> handler) override {
    auto end = std::make_shared<FaultyEnd>(executor, plan_, /*parent=*/false);
    end->SetHandler(std::move(handler));
    std::shared_ptr<Link> link = inner_->Dial(address, std::move(executor), end);
    end->SetLink(link);
    return std::make_shared<FaultyLink>(std::move(link), std::move(end), /*child=*/true);
  }

 private:
  const std::shared_ptr<Transport> inner_;
  const FaultPlan plan_;
};

}  // namespace

std::shared_ptr<Transport> MakeFaultyTransport(std::shared_ptr<Transport> inner, FaultPlan plan) {
  return std::make_shared<FaultyTransport>(std::move(inner), std::move(plan));
}

}  // namespace skein::testing
