#ifndef SKEIN_SRC_LAUNCH_LOCAL_PROCESSES_H_
#define SKEIN_SRC_LAUNCH_LOCAL_PROCESSES_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "skein/base/time.h"

namespace skein {

// A process to start.
struct ProcessSpec {
  std::string name;               // for messages
  std::vector<std::string> argv;  // argv[0] is the program's path
  std::string log_path;           // gets stdout and stderr; empty: both are inherited
};

// How a process ended, in words: "exited with code 1", "was killed by signal 9".
struct ProcessExit {
  std::string name;
  pid_t pid = 0;
  int code = -1;   // if it exited
  int signal = 0;  // if it was killed
  bool ok() const { return code == 0; }
  std::string ToString() const;
};

// Child processes on this machine, each in a process group of its own, so that a terminal's Ctrl-C
// reaches the launcher alone, which then ends them in order. None outlives the launcher: the kernel
// kills them when the thread that started them ends, so Start is called by one that stays. The
// destructor kills and reaps. Not thread-safe.
class LocalProcesses {
 public:
  LocalProcesses() = default;
  ~LocalProcesses();
  LocalProcesses(const LocalProcesses&) = delete;
  LocalProcesses& operator=(const LocalProcesses&) = delete;

  // Unavailable with the system's reason. `inherit_fd`, if not negative, stays open in the child.
  absl::StatusOr<pid_t> Start(const ProcessSpec& spec, int inherit_fd = -1);

  // Waits until some have ended, at most `timeout`, and returns those.
  std::vector<ProcessExit> Wait(Duration timeout);
  // Waits for all to end; returns those that did, in time.
  std::vector<ProcessExit> WaitAll(Duration timeout);
  void Signal(pid_t pid, int signal);
  void SignalAll(int signal);
  size_t running() const { return running_.size(); }

 private:
  struct Child {
    std::string name;
    pid_t pid = 0;
    int pidfd = -1;  // readable once it has ended
  };
  std::optional<ProcessExit> Reap(size_t index, bool wait);

  std::vector<Child> running_;
};

// The path of this program.
absl::StatusOr<std::string> ThisProgram();

}  // namespace skein

#endif  // SKEIN_SRC_LAUNCH_LOCAL_PROCESSES_H_
