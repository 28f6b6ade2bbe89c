#ifndef SKEIN_SRC_APP_SIGNALS_H_
#define SKEIN_SRC_APP_SIGNALS_H_

#include <csignal>
#include <functional>
#include <mutex>
#include <thread>

namespace skein {

// Takes SIGINT, SIGTERM and SIGHUP from its making on: the first asks for a stop, the second ends
// the process as if nobody had taken it. They stay blocked when it is gone, so that a signal in the
// last moment of a run that is over does not make a failure of it. Make it before any other thread,
// since threads inherit which signals are blocked.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // What to do when a stop is asked for: called once, on a thread of this object, or here if the
  // signal has come already. Null takes it back: it is not being called when this returns.
  void OnStop(std::function<void()> on_stop);

 private:
  void Watch();

  std::mutex mutex_;
  std::function<void()> on_stop_;
  bool asked_ = false;
  int signal_fd_ = -1;
  int end_fd_ = -1;
  std::thread thread_;
};

}  // namespace skein

#endif  // SKEIN_SRC_APP_SIGNALS_H_
