#ifndef SKEIN_SRC_CONTROL_GRPC_WRITE_QUEUE_H_
#define SKEIN_SRC_CONTROL_GRPC_WRITE_QUEUE_H_

#include <deque>
#include <mutex>
#include <utility>

#include <absl/status/status.h>

namespace skein {

// What a stream is to its write queue. Called without a lock held, by the thread that caused it.
template <typename Message>
class WriteStream {
 public:
  virtual ~WriteStream() = default;
  // Starts one write; OnWriteDone of the queue follows.
  virtual void Write(const Message* message) = 0;
  // The last call, exactly once: no write is in flight and none will follow.
  virtual void End(const absl::Status& status) = 0;
};

// Messages on their way out of one end of a gRPC stream, which takes one write at a time. Any
// thread may call. The stream must live until End was called; the queue may live longer, then it
// drops what it is given.
template <typename Message>
class WriteQueue {
 public:
  explicit WriteQueue(WriteStream<Message>* stream) : stream_(stream) {}

  void Push(Message message) {
    {
      std::lock_guard lock(mutex_);
      if (closing_) return;
      queue_.push_back(std::move(message));
    }
    Advance();
  }

  // Ends the stream with `status` once everything before has been written.
  void Close(absl::Status status) { EndWith(std::move(status), /*drop=*/false); }
  // Ends it as soon as the write in flight is done.
  void Break(absl::Status status) { EndWith(std::move(status), /*drop=*/true); }

  void OnWriteDone(bool ok) {
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      if (!queue_.empty()) queue_.pop_front();
      if (!ok) {
        queue_.clear();
        if (!closing_) status_ = absl::UnavailableError("the connection broke");
        closing_ = true;
      }
    }
    Advance();
  }

 private:
  void EndWith(absl::Status status, bool drop) {
    {
      std::lock_guard lock(mutex_);
      if (!closing_) status_ = std::move(status);
      closing_ = true;
      // The message in flight stays where it is until its write is done.
      if (drop && !queue_.empty()) queue_.erase(queue_.begin() + (writing_ ? 1 : 0), queue_.end());
    }
    Advance();
  }

  void Advance() {
    const Message* next = nullptr;
    {
      std::lock_guard lock(mutex_);
      if (writing_ || ended_) return;
      if (!queue_.empty()) {
        writing_ = true;
        next = &queue_.front();
      } else if (closing_) {
        ended_ = true;
      } else {
        return;
      }
    }
    // Outside the lock, since gRPC may react on this thread.
    if (next != nullptr) {
      stream_->Write(next);
    } else {
      stream_->End(status_);
    }
  }

  WriteStream<Message>* const stream_;
  std::mutex mutex_;
  std::deque<Message> queue_;  // the front is in flight while writing_
  bool writing_ = false;
  bool closing_ = false;
  bool ended_ = false;
  absl::Status status_;
};

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_GRPC_WRITE_QUEUE_H_
