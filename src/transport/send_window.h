#ifndef SKEIN_TRANSPORT_SEND_WINDOW_H_
#define SKEIN_TRANSPORT_SEND_WINDOW_H_

#include <cstddef>

namespace skein {

// Counts what a link has queued, for Writable and OnWritable. Full from the high-water mark on,
// until the queue has dropped to the low one. Guarded by its owner's mutex.
class SendWindow {
 public:
  static constexpr size_t kHighWater = size_t{4} << 20;
  static constexpr size_t kLowWater = size_t{2} << 20;

  void Add(size_t bytes) {
    queued_ += bytes;
    if (queued_ >= kHighWater) full_ = true;
  }
  // True if that made room: OnWritable is due.
  bool Remove(size_t bytes) {
    queued_ -= bytes;
    if (!full_ || queued_ > kLowWater) return false;
    full_ = false;
    return true;
  }
  bool full() const { return full_; }

 private:
  size_t queued_ = 0;
  bool full_ = false;
};

}  // namespace skein

#endif  // SKEIN_TRANSPORT_SEND_WINDOW_H_
