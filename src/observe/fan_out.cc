#include "skein/observe/fan_out.h"

#include <utility>

namespace skein {

FanOutSink::FanOutSink(std::vector<std::shared_ptr<EventSink>> sinks) {
  for (std::shared_ptr<EventSink>& sink : sinks) {
    if (sink != nullptr) sinks_.push_back(std::move(sink));
  }
}

void FanOutSink::OnEvent(const Event& event) {
  for (const std::shared_ptr<EventSink>& sink : sinks_) sink->OnEvent(event);
}

}  // namespace skein
