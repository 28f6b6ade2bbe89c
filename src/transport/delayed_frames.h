#ifndef SKEIN_SRC_TRANSPORT_DELAYED_FRAMES_H_
#define SKEIN_SRC_TRANSPORT_DELAYED_FRAMES_H_

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "skein/base/executor.h"
#include "skein/transport/frame.h"

namespace skein {

// Frames of one link and direction that are on their way, in order, and what comes after the last
// of them. Times that are given must not fall. Lives on one executor.
class DelayedFrames : public std::enable_shared_from_this<DelayedFrames> {
 public:
  using Deliver = std::function<void(Frame)>;
  DelayedFrames(std::shared_ptr<Executor> executor, Deliver deliver);

  bool empty() const { return frames_.empty(); }
  // Delivers the frame at `due`; before this returns if that is now.
  void Add(Time due, Frame frame);
  // Calls `last` at `due`, after all frames; once, whatever is dropped.
  void Then(Time due, std::function<void()> last);
  // Frames that are on their way, and later ones, go nowhere.
  void Drop();

 private:
  void Pump();

  const std::shared_ptr<Executor> executor_;
  Deliver deliver_;
  std::deque<std::pair<Time, Frame>> frames_;
  std::function<void()> last_;
  Time last_due_{0};
  bool pumping_ = false;
  bool armed_ = false;
};

}  // namespace skein

#endif  // SKEIN_SRC_TRANSPORT_DELAYED_FRAMES_H_
