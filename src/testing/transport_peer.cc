#include "testing/transport_peer.h"

#include <utility>

namespace skein::testing {

class Peer::Call {
 public:
  explicit Call(Peer& peer) : peer_(peer) {
    if (peer_.busy_.exchange(true) || peer_.closed().has_value()) ++peer_.forbidden_;
  }
  ~Call() {
    peer_.busy_ = false;
    peer_.bed_.Notify();
  }

 private:
  Peer& peer_;
};

void Peer::SetLink(std::shared_ptr<Link> link) {
  std::lock_guard lock(mutex_);
  link_ = std::move(link);
}

std::shared_ptr<Link> Peer::link() const {
  std::lock_guard lock(mutex_);
  return link_;
}

void Peer::Drop() {
  std::shared_ptr<Link> link;
  std::lock_guard lock(mutex_);
  link.swap(link_);
}

size_t Peer::frames() const {
  std::lock_guard lock(mutex_);
  return frames_.size();
}

Frame Peer::frame(size_t i) const {
  std::lock_guard lock(mutex_);
  return frames_[i];
}

size_t Peer::encoded_bytes() const {
  std::lock_guard lock(mutex_);
  return encoded_bytes_;
}

int Peer::writable_calls() const {
  std::lock_guard lock(mutex_);
  return writable_calls_;
}

std::optional<absl::Status> Peer::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

void Peer::OnFrame(Frame frame) {
  const Call call(*this);
  const size_t size = EncodedSize(frame);
  {
    // Recorded first: an answer to it may be seen before on_frame has returned.
    std::lock_guard lock(mutex_);
    encoded_bytes_ += size;
    frames_.push_back(frame);
  }
  if (on_frame) on_frame(*this, frame);
}

void Peer::OnWritable() {
  const Call call(*this);
  {
    std::lock_guard lock(mutex_);
    ++writable_calls_;
  }
  if (on_writable) on_writable(*this);
}

void Peer::OnClosed(absl::Status status) {
  const Call call(*this);
  if (on_closed) on_closed(*this);
  std::lock_guard lock(mutex_);
  closed_ = std::move(status);
}

std::shared_ptr<LinkHandler> PeerAcceptor::OnLink(std::shared_ptr<Link> link) {
  if (refuse) return nullptr;
  auto peer = std::make_shared<Peer>(bed_);
  if (prepare) prepare(*peer);
  peer->SetLink(std::move(link));
  {
    std::lock_guard lock(mutex_);
    peers_.push_back(peer);
  }
  bed_.Notify();
  return peer;
}

size_t PeerAcceptor::size() const {
  std::lock_guard lock(mutex_);
  return peers_.size();
}

std::shared_ptr<Peer> PeerAcceptor::peer(size_t i) const {
  std::lock_guard lock(mutex_);
  return peers_[i];
}

void PausableExecutor::Pause() {
  std::lock_guard lock(mutex_);
  paused_ = true;
}

void PausableExecutor::Resume() {
  std::lock_guard lock(mutex_);
  paused_ = false;
  for (auto& task : held_) inner_->Post(std::move(task));
  held_.clear();
}

void PausableExecutor::Post(std::function<void()> task) {
  std::lock_guard lock(mutex_);
  if (paused_) {
    held_.push_back(std::move(task));
  } else {
    inner_->Post(std::move(task));
  }
}

void PausableExecutor::PostAt(Time when, std::function<void()> task) {
  inner_->PostAt(when, [self = shared_from_this(), task = std::move(task)] { self->Post(task); });
}

}  // namespace skein::testing
