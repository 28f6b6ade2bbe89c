#ifndef SKEIN_TESTING_TRANSPORT_PEER_H_
#define SKEIN_TESTING_TRANSPORT_PEER_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "skein/testing/transport_checks.h"

namespace skein::testing {

// One end of a link that records what it is told. Any thread may ask. It holds its link until Drop.
class Peer final : public LinkHandler {
 public:
  explicit Peer(TransportBed& bed) : bed_(bed) {}

  // What to do beside recording, on the executor. Set before the link is made, or from inside.
  std::function<void(Peer&, const Frame&)> on_frame;
  std::function<void(Peer&)> on_writable;
  std::function<void(Peer&)> on_closed;

  void SetLink(std::shared_ptr<Link> link);
  std::shared_ptr<Link> link() const;
  void Drop();  // lets go of the link

  size_t frames() const;
  Frame frame(size_t i) const;
  size_t encoded_bytes() const;  // of all frames received
  int writable_calls() const;
  std::optional<absl::Status> closed() const;
  // Calls that must not be: two at once, or any after OnClosed.
  int forbidden_calls() const { return forbidden_; }

  void OnFrame(Frame frame) override;
  void OnWritable() override;
  void OnClosed(absl::Status status) override;

 private:
  // Counts a call that comes during another one or after the end.
  class Call;

  TransportBed& bed_;
  std::atomic<bool> busy_{false};
  std::atomic<int> forbidden_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<Link> link_;
  std::vector<Frame> frames_;
  size_t encoded_bytes_ = 0;
  int writable_calls_ = 0;
  std::optional<absl::Status> closed_;
};

// A parent's door: makes a Peer for every link.
class PeerAcceptor final : public Acceptor {
 public:
  explicit PeerAcceptor(TransportBed& bed) : bed_(bed) {}

  std::function<void(Peer&)> prepare;  // before the peer's first call
  bool refuse = false;

  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override;

  size_t size() const;
  std::shared_ptr<Peer> peer(size_t i) const;

 private:
  TransportBed& bed_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Peer>> peers_;
};

// An executor that can be stopped for a while: a node that is busy.
class PausableExecutor final : public Executor,
                               public std::enable_shared_from_this<PausableExecutor> {
 public:
  explicit PausableExecutor(std::shared_ptr<Executor> inner) : inner_(std::move(inner)) {}

  void Pause();
  void Resume();

  Time Now() const override { return inner_->Now(); }
  void Post(std::function<void()> task) override;
  void PostAt(Time when, std::function<void()> task) override;

 private:
  const std::shared_ptr<Executor> inner_;
  std::mutex mutex_;
  bool paused_ = false;
  std::deque<std::function<void()>> held_;
};

}  // namespace skein::testing

#endif  // SKEIN_TESTING_TRANSPORT_PEER_H_
