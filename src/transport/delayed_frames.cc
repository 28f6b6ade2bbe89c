#include "transport/delayed_frames.h"

#include <optional>

namespace skein {

DelayedFrames::DelayedFrames(std::shared_ptr<Executor> executor, Deliver deliver)
    : executor_(std::move(executor)), deliver_(std::move(deliver)) {}

void DelayedFrames::Add(Time due, Frame frame) {
  frames_.emplace_back(due, std::move(frame));
  Pump();
}

void DelayedFrames::Then(Time due, std::function<void()> last) {
  last_ = std::move(last);
  last_due_ = due;
  Pump();
}

void DelayedFrames::Drop() {
  frames_.clear();
  deliver_ = nullptr;
}

// Delivers what is due and comes back for the rest. Who gets a frame may close the link, and so end
// this object's use, in the middle.
void DelayedFrames::Pump() {
  if (pumping_) return;
  pumping_ = true;
  const auto self = shared_from_this();
  while (!frames_.empty() && frames_.front().first <= executor_->Now()) {
    Frame frame = std::move(frames_.front().second);
    frames_.pop_front();
    const Deliver deliver = deliver_;
    if (deliver) deliver(std::move(frame));
  }
  pumping_ = false;
  std::optional<Time> next;
  if (!frames_.empty()) {
    next = frames_.front().first;
  } else if (last_ != nullptr && last_due_ > executor_->Now()) {
    next = last_due_;
  } else if (auto last = std::exchange(last_, nullptr)) {
    last();
  }
  if (!next.has_value() || armed_) return;
  armed_ = true;  // times only grow, so one timer for the first is enough
  executor_->PostAt(*next, [self] {
    self->armed_ = false;
    self->Pump();
  });
}

}  // namespace skein
