#ifndef SKEIN_SRC_BASE_VIRTUAL_RUN_H_
#define SKEIN_SRC_BASE_VIRTUAL_RUN_H_

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "skein/base/simulation.h"

namespace skein {

// Brings what happens in a simulation to its end. Run once; Stop from any thread: virtual time
// knows of no other.
class VirtualRun {
 public:
  // What goes on for longer has gone astray.
  static constexpr Duration kLongest = std::chrono::hours(24 * 365 * 10);

  // Until ended() holds. If it is stopped, or nothing is left to happen, `stop` is told why, and
  // has `aftermath` to bring the end about.
  void Run(Simulation& simulation, const std::function<bool()>& ended,
           const std::function<void(const std::string&)>& stop, Duration aftermath);
  void Stop(const std::string& reason);

 private:
  std::mutex mutex_;
  std::string reason_;  // why, once asked for
  std::atomic<bool> stopping_{false};
};

}  // namespace skein

#endif  // SKEIN_SRC_BASE_VIRTUAL_RUN_H_
