#ifndef SKEIN_OBSERVE_FAN_OUT_H_
#define SKEIN_OBSERVE_FAN_OUT_H_

#include <memory>
#include <vector>

#include "skein/observe/event.h"

namespace skein {

// Hands every event to each of its sinks, in their order. Shares ownership of them; null sinks are
// left out. As thread-safe as the sinks are.
class FanOutSink : public EventSink {
 public:
  explicit FanOutSink(std::vector<std::shared_ptr<EventSink>> sinks);
  void OnEvent(const Event& event) override;

 private:
  std::vector<std::shared_ptr<EventSink>> sinks_;
};

}  // namespace skein

#endif  // SKEIN_OBSERVE_FAN_OUT_H_
