#include "base/virtual_run.h"

#include <cstdio>

namespace skein {

void VirtualRun::Run(Simulation& simulation, const std::function<bool()>& ended,
                     const std::function<void(const std::string&)>& stop, Duration aftermath) {
  simulation.RunUntil([&] { return ended() || stopping_; }, kLongest);
  if (ended()) return;
  char text[96];
  std::snprintf(text, sizeof(text), "nothing is left to happen after %.3f s of virtual time",
                ToSeconds(simulation.Now()));
  {
    std::lock_guard lock(mutex_);
    stop(stopping_ ? reason_ : text);
  }
  simulation.RunUntil(ended, aftermath);
}

void VirtualRun::Stop(const std::string& reason) {
  std::lock_guard lock(mutex_);
  if (reason_.empty()) reason_ = reason;
  stopping_ = true;
}

}  // namespace skein
