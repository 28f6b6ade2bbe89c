#ifndef SKEIN_SRC_APP_BENCH_PROCESS_WATCH_H_
#define SKEIN_SRC_APP_BENCH_PROCESS_WATCH_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace skein {

// What a process uses, from /proc.
struct ProcessUse {
  double rss_mib = 0;
  double peak_rss_mib = 0;
  double cpu_s = 0;  // user and system
};

// Nothing if there is no such process (any more).
ProcessUse UseOf(pid_t pid);

// Watches the processes of a run from outside, and the run's events for when its rounds begin and
// end. Any thread may call.
class ProcessWatch {
 public:
  // `events_path` need not exist yet. The clock starts here.
  explicit ProcessWatch(std::string events_path);
  ~ProcessWatch();
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;

  void Add(pid_t pid, const std::string& role);

  struct Role {
    int processes = 0;
    double idle_rss_mib = 0;     // in all, when the first round opened
    double peak_rss_mib = 0;     // in all
    double highest_rss_mib = 0;  // the largest peak of one process
    double rounds_cpu_s = 0;     // in all, from the first round on
  };
  struct Report {
    double startup_s = 0;  // until the first round opened; 0: none did
    // The most that all of them held at a moment, of those at which we looked. Pages that they
    // share (libraries) count more than once.
    double total_peak_rss_mib = 0;
    std::map<std::string, Role> roles;
  };
  // Ends the watch.
  Report Finish();

 private:
  struct Watched {
    std::string role;
    ProcessUse last;  // the last that was seen
    ProcessUse idle;  // when the first round opened
  };
  void Loop();
  void Look();
  bool RoundsHaveBegun();

  const std::string events_path_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  bool stop_ = false;
  std::map<pid_t, Watched> processes_;
  double startup_s_ = 0;
  double total_peak_rss_mib_ = 0;
  uint64_t events_read_ = 0;
  std::thread thread_;
};

}  // namespace skein

#endif  // SKEIN_SRC_APP_BENCH_PROCESS_WATCH_H_
