#include "transport/grpc/stream_link.h"

#include <chrono>
#include <utility>

#include "skein/base/status.h"
#include "transport/frame_limits.h"
#include "transport/grpc/grpc_status.h"

namespace skein {
namespace {

// How long a link that ends waits for its peer while nothing moves, before it cuts the stream.
constexpr auto kLinger = std::chrono::seconds(10);

absl::Status Cut() { return absl::UnavailableError("the connection was lost"); }

}  // namespace

StreamLink::StreamLink(Role role, std::shared_ptr<Executor> executor)
    : role_(role), executor_(std::move(executor)) {}

void StreamLink::Attach(FrameStream* stream) {
  std::lock_guard lock(mutex_);
  stream_ = stream;
  if (closed_here_) ArmLinger();
  Advance();
}

void StreamLink::SetHandler(std::shared_ptr<LinkHandler> handler) {
  absl::Status status;
  {
    std::lock_guard lock(mutex_);
    if (!done_) {
      handler_ = std::move(handler);
      Advance();
      return;
    }
    status = *end_;
  }
  DeliverClosed(std::move(handler), std::move(status));
}

void StreamLink::SetOffered() {
  std::lock_guard lock(mutex_);
  offered_ = true;
}

bool StreamLink::offered() const {
  std::lock_guard lock(mutex_);
  return offered_;
}

void StreamLink::Send(Frame frame) {
  const size_t size = EncodedSize(frame);
  std::lock_guard lock(mutex_);
  if (done_ || closed_here_ || peer_over_ || write_failed_) return;
  if (absl::Status fits = CheckFrameSize(frame, size); !fits.ok()) {
    CloseLocked(std::move(fits));
    return;
  }
  window_.Add(size);
  queue_.push_back({std::move(frame), size});
  Advance();
}

bool StreamLink::Writable() const {
  std::lock_guard lock(mutex_);
  return !done_ && !closed_here_ && !peer_over_ && !write_failed_ && !window_.full();
}

void StreamLink::Close(absl::Status status) {
  std::lock_guard lock(mutex_);
  CloseLocked(std::move(status));
}

LinkStats StreamLink::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

void StreamLink::CloseLocked(absl::Status status) {
  if (done_ || closed_here_) return;
  closed_here_ = true;
  if (!end_.has_value()) end_ = std::move(status);
  ArmLinger();
  Advance();
}

void StreamLink::PeerIsOver(std::deque<Queued>& dropped) {
  if (peer_over_) return;
  peer_over_ = true;
  dropped.swap(queue_);
  ArmLinger();
}

void StreamLink::Advance() {
  if (stream_ == nullptr) return;
  if (!writing_ && !writes_ended_) {
    if (peer_over_ || close_written_) {
      writes_ended_ = true;
      stream_->EndWrites();
    } else if (!write_failed_ && (!queue_.empty() || closed_here_)) {
      StartWrite();
    }
  }
  if (reading_ || read_ended_) return;
  const bool over = closed_here_ || peer_over_;
  if (over ? role_ == Role::kClient : (handler_ != nullptr && !delivering_)) {
    reading_ = true;
    stream_->Read(&read_buffer_);
  }
}

void StreamLink::StartWrite() {
  writing_ = true;
  writing_size_ = 0;
  if (queue_.empty()) {
    close_written_ = true;
    write_buffer_ = EncodeClose(*end_);
  } else {
    writing_size_ = queue_.front().size;
    write_buffer_ = EncodeFrame(std::move(queue_.front().frame));
    queue_.pop_front();
    stats_.bytes_sent += writing_size_;
  }
  stream_->Write(&write_buffer_, !queue_.empty());
}

void StreamLink::OnWriteDone(bool ok) {
  std::deque<Queued> dropped;  // freed outside the lock: a frame may own anything
  std::shared_ptr<LinkHandler> waiting;
  {
    std::lock_guard lock(mutex_);
    writing_ = false;
    write_buffer_.Clear();
    if (ok) {
      ++progress_;
    } else {
      // A client still reads what the server said before it finished the call; a server sees a
      // write fail only when the call is dead.
      write_failed_ = true;
      dropped.swap(queue_);
      if (role_ == Role::kServer) PeerIsOver(dropped);
    }
    const bool room = window_.Remove(writing_size_);
    if (room && ok && !closed_here_ && !peer_over_) waiting = handler_;
    Advance();
  }
  if (waiting == nullptr) return;
  executor_->Post([self = shared_from_this(), handler = std::move(waiting)] {
    {
      std::lock_guard lock(self->mutex_);
      if (self->closed_here_ || self->done_) return;
    }
    handler->OnWritable();
  });
}

void StreamLink::Receive(uint64_t transfer, std::shared_ptr<ChunkSink> sink) {
  std::shared_ptr<ChunkSink> old;  // released outside the lock
  std::lock_guard lock(mutex_);
  if (sink == nullptr || done_) {
    const auto it = sinks_.find(transfer);
    if (it == sinks_.end()) return;
    old = std::move(it->second);
    sinks_.erase(it);
  } else {
    old = std::exchange(sinks_[transfer], std::move(sink));
  }
}

void StreamLink::OnReadDone(bool ok) {
  if (ok) {
    Take(DecodeFrame(read_buffer_));
    return;
  }
  std::deque<Queued> dropped;
  std::lock_guard lock(mutex_);
  reading_ = false;
  read_ended_ = true;
  // The client learns from the call's status why.
  if (role_ == Role::kServer && !end_.has_value()) end_ = Cut();
  PeerIsOver(dropped);
  Advance();
}

void StreamLink::Take(ReceivedFrame received) {
  absl::Status taken;
  bool to_sink = false;
  if (received.chunk.has_value()) {
    // Let go of before the next read begins: what it writes to is free once the transfer is over.
    std::shared_ptr<ChunkSink> sink;
    {
      std::lock_guard lock(mutex_);
      const auto it = sinks_.find(received.chunk->transfer);
      if (it != sinks_.end() && !closed_here_ && !peer_over_) sink = it->second;
    }
    to_sink = sink != nullptr;
    if (to_sink) {
      taken = sink->Take(received.chunk->offset, received.chunk->checksum, received.chunk->payload);
    } else {
      received.CopyChunk();
    }
  }
  // The buffer is the last to let go of the memory: only its calls are ready for what gRPC may do
  // then, under memory pressure.
  received.chunk.reset();
  received.slices.clear();
  std::deque<Queued> dropped;
  std::shared_ptr<LinkHandler> handler;
  {
    std::lock_guard lock(mutex_);
    reading_ = false;
    read_buffer_.Clear();
    if (received.close.has_value()) {
      if (!end_.has_value()) end_ = *std::move(received.close);
      PeerIsOver(dropped);
    } else if (!closed_here_ && !peer_over_) {
      stats_.bytes_received += received.size;
      if (!taken.ok() || !received.frame.ok()) {
        CloseLocked(taken.ok() ? received.frame.status() : taken);
      } else if (!to_sink) {
        inbound_ = *std::move(received.frame);
        delivering_ = true;
        handler = handler_;
      }
    }
    Advance();
  }
  if (handler == nullptr) return;
  executor_->Post(
      [self = shared_from_this(), handler = std::move(handler)] { self->Deliver(*handler); });
}

void StreamLink::OnCancel() {
  std::deque<Queued> dropped;
  std::lock_guard lock(mutex_);
  if (!end_.has_value()) end_ = Cut();
  PeerIsOver(dropped);
  Advance();
}

void StreamLink::OnDone(const absl::Status& status) {
  std::deque<Queued> dropped;
  std::shared_ptr<LinkHandler> handler;
  std::unique_ptr<grpc::Alarm> linger;
  std::map<uint64_t, std::shared_ptr<ChunkSink>> sinks;
  absl::Status end;
  {
    std::lock_guard lock(mutex_);
    stream_ = nullptr;
    done_ = true;
    sinks.swap(sinks_);
    dropped.swap(queue_);
    if (!end_.has_value()) end_ = status.ok() ? Cut() : status;
    end = *end_;
    handler = std::move(handler_);
    handler_ = nullptr;
    linger = std::move(linger_);
  }
  if (handler != nullptr) DeliverClosed(std::move(handler), std::move(end));
}

void StreamLink::ArmLinger() {
  if (stream_ == nullptr) return;
  linger_ = std::make_unique<grpc::Alarm>();
  linger_->Set(std::chrono::system_clock::now() + kLinger,
               [weak = weak_from_this(), progress = progress_](bool expired) {
                 if (!expired) return;
                 if (const auto self = weak.lock()) self->OnLinger(progress);
               });
}

void StreamLink::OnLinger(uint64_t progress) {
  std::lock_guard lock(mutex_);
  if (stream_ == nullptr) return;
  if (progress_ == progress) {
    stream_->Cancel();
  } else {
    ArmLinger();
  }
}

void StreamLink::Deliver(LinkHandler& handler) {
  std::optional<Frame> frame;
  {
    std::lock_guard lock(mutex_);
    frame.swap(inbound_);
    if (closed_here_) frame.reset();
  }
  // Also if the stream has ended meanwhile: the task of OnDone comes after this one.
  if (frame.has_value()) handler.OnFrame(*std::move(frame));
  std::lock_guard lock(mutex_);
  delivering_ = false;
  Advance();
}

void StreamLink::DeliverClosed(std::shared_ptr<LinkHandler> handler, absl::Status status) {
  executor_->Post(
      [handler = std::move(handler), status = std::move(status)] { handler->OnClosed(status); });
}

}  // namespace skein
