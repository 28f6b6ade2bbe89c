#include "transport/inproc/connection.h"

#include "transport/frame_limits.h"

namespace skein {

InprocConnection::InprocConnection(std::shared_ptr<Executor> dialer_executor,
                                   std::shared_ptr<LinkHandler> dialer,
                                   std::shared_ptr<Executor> acceptor_executor) {
  ends_[kDialer].executor = std::move(dialer_executor);
  ends_[kDialer].handler = std::move(dialer);
  ends_[kAcceptor].executor = std::move(acceptor_executor);
}

void InprocConnection::Accept(std::shared_ptr<LinkHandler> handler) {
  bool deliver = false;
  {
    std::lock_guard lock(mutex_);
    End& end = ends_[kAcceptor];
    end.handler = std::move(handler);
    deliver = ClaimDelivery(end);
  }
  if (deliver) PostDelivery(kAcceptor);
}

void InprocConnection::SetOffered() {
  std::lock_guard lock(mutex_);
  offered_ = true;
}

bool InprocConnection::offered() const {
  std::lock_guard lock(mutex_);
  return offered_;
}

void InprocConnection::Send(Side side, Frame frame) {
  const size_t size = EncodedSize(frame);
  if (absl::Status fits = CheckFrameSize(frame, size); !fits.ok()) {
    Close(side, std::move(fits));
    return;
  }
  bool deliver = false;
  {
    std::lock_guard lock(mutex_);
    End& me = ends_[side];
    End& peer = ends_[Other(side)];
    if (me.last.has_value()) return;
    me.stats.bytes_sent += size;
    me.window.Add(size);
    peer.inbox.push_back({std::move(frame), size});
    deliver = ClaimDelivery(peer);
  }
  if (deliver) PostDelivery(Other(side));
}

bool InprocConnection::Writable(Side side) const {
  std::lock_guard lock(mutex_);
  return !ends_[side].last.has_value() && !ends_[side].window.full();
}

void InprocConnection::Close(Side side, absl::Status status) {
  std::deque<Queued> dropped;  // freed outside the lock: a frame may own anything
  bool deliver_here = false;
  bool deliver_there = false;
  {
    std::lock_guard lock(mutex_);
    End& me = ends_[side];
    End& peer = ends_[Other(side)];
    dropped.swap(me.inbox);
    if (!me.last.has_value()) me.last = status;
    if (!peer.last.has_value()) peer.last = std::move(status);
    deliver_here = ClaimDelivery(me);
    deliver_there = ClaimDelivery(peer);
  }
  if (deliver_here) PostDelivery(side);
  if (deliver_there) PostDelivery(Other(side));
}

LinkStats InprocConnection::stats(Side side) const {
  std::lock_guard lock(mutex_);
  return ends_[side].stats;
}

bool InprocConnection::ClaimDelivery(End& end) {
  if (end.handler == nullptr || end.delivering) return false;
  if (end.inbox.empty() && !end.last.has_value()) return false;
  end.delivering = true;
  return true;
}

void InprocConnection::PostDelivery(Side side) {
  // The executors never change, so they may be read without the lock.
  ends_[side].executor->Post([self = shared_from_this(), side] { self->Deliver(side); });
}

void InprocConnection::Deliver(Side side) {
  End& me = ends_[side];
  End& peer = ends_[Other(side)];
  std::shared_ptr<LinkHandler> handler;
  std::shared_ptr<LinkHandler> waiting;  // the sender's, if it can go on
  std::optional<Frame> frame;
  absl::Status last;
  {
    std::lock_guard lock(mutex_);
    if (me.inbox.empty()) {
      me.delivering = false;
      if (!me.last.has_value()) return;
      handler = std::move(me.handler);
      me.handler = nullptr;
      last = *me.last;
    } else {
      handler = me.handler;
      Queued next = std::move(me.inbox.front());
      me.inbox.pop_front();
      frame = std::move(next.frame);
      me.stats.bytes_received += next.size;
      if (peer.window.Remove(next.size)) waiting = peer.handler;
    }
  }
  if (!frame.has_value()) {
    handler->OnClosed(std::move(last));
    return;
  }
  if (waiting != nullptr) TellWritable(Other(side), waiting);
  handler->OnFrame(*std::move(frame));
  bool more = false;
  {
    std::lock_guard lock(mutex_);
    me.delivering = false;
    more = ClaimDelivery(me);
  }
  if (more) PostDelivery(side);
}

void InprocConnection::TellWritable(Side side, const std::shared_ptr<LinkHandler>& handler) {
  ends_[side].executor->Post([self = shared_from_this(), side, handler] {
    {
      std::lock_guard lock(self->mutex_);
      if (self->ends_[side].last.has_value()) return;
    }
    handler->OnWritable();
  });
}

}  // namespace skein
