#ifndef SKEIN_SRC_CONTROL_RUN_LOG_H_
#define SKEIN_SRC_CONTROL_RUN_LOG_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "skein/observe/event.h"

namespace skein {

// What those who watch a run wait for: it tells them when there is more in its events.jsonl, which
// they read themselves, at their own pace. So a watcher that is slow, late or gone costs the run
// nothing. As a sink it stands behind the one that writes the file. Thread-safe.
class RunLog : public EventSink {
 public:
  struct State {
    std::string waits;  // why the run has not begun; empty: it has, or is over
    bool over = false;  // nothing will be added
    uint64_t changes = 0;
  };

  explicit RunLog(std::string path) : path_(std::move(path)) {}

  // events.jsonl; not there before the run has begun.
  const std::string& path() const { return path_; }
  State state() const;
  // Calls `wake` once, on any thread, when there are other changes than `seen`; here and now if
  // there are already.
  void Wait(uint64_t seen, std::function<void()> wake);

  void OnEvent(const Event& event) override;
  void SetWaits(std::string why);
  void SetOver();

 private:
  void Change(const std::function<void(State&)>& how);

  const std::string path_;
  mutable std::mutex mutex_;
  State state_;
  std::vector<std::function<void()>> waiters_;
};

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_RUN_LOG_H_
