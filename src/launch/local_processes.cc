#include "launch/local_processes.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>

namespace skein {
namespace {

absl::Status SystemError(const std::string& what, int error) {
  return absl::UnavailableError("cannot " + what + ": " + std::strerror(error));
}

// What the child does between fork and exec: system calls alone, since other threads of the
// launcher may have held locks when it was forked.
struct ChildSetup {
  pid_t launcher = 0;
  int log_fd = -1;
  int null_fd = -1;
  int inherit_fd = -1;
  int error_fd = -1;  // tells the launcher why exec failed
  const char* program = nullptr;
  char* const* argv = nullptr;

  [[noreturn]] void Exec() const {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != launcher) _exit(127);  // it was gone before the line above
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    dup2(null_fd, STDIN_FILENO);
    if (log_fd >= 0) {
      dup2(log_fd, STDOUT_FILENO);
      dup2(log_fd, STDERR_FILENO);
    }
    if (inherit_fd >= 0) fcntl(inherit_fd, F_SETFD, 0);
    execv(program, argv);
    const int error = errno;
    [[maybe_unused]] const ssize_t n = write(error_fd, &error, sizeof(error));
    _exit(127);
  }
};

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { Reset(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  void Reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

int ReadError(int fd) {
  int error = 0;
  ssize_t n;
  do {
    n = read(fd, &error, sizeof(error));
  } while (n < 0 && errno == EINTR);
  return n == static_cast<ssize_t>(sizeof(error)) ? error : 0;
}

int Milliseconds(Duration left) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<int64_t>(ms, 0, 1'000'000));
}

}  // namespace

std::string ProcessExit::ToString() const {
  return name + " (pid " + std::to_string(pid) + ") " +
         (signal != 0 ? "was killed by signal " + std::to_string(signal)
                      : "exited with code " + std::to_string(code));
}

LocalProcesses::~LocalProcesses() {
  SignalAll(SIGKILL);
  while (!running_.empty()) Reap(0, /*wait=*/true);
}

absl::StatusOr<pid_t> LocalProcesses::Start(const ProcessSpec& spec, int inherit_fd) {
  const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (null.get() < 0) return SystemError("open /dev/null", errno);
  const Fd log(spec.log_path.empty()
                   ? -1
                   : open(spec.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!spec.log_path.empty() && log.get() < 0) return SystemError("open " + spec.log_path, errno);
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return SystemError("make a pipe", errno);
  const Fd read_end(pipe_fds[0]);
  Fd write_end(pipe_fds[1]);

  std::vector<char*> argv;
  for (const std::string& arg : spec.argv) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  const ChildSetup setup{getpid(),        log.get(), null.get(), inherit_fd,
                         write_end.get(), argv[0],   argv.data()};
  const pid_t pid = fork();
  if (pid < 0) return SystemError("start " + spec.name, errno);
  if (pid == 0) setup.Exec();
  write_end.Reset();
  // From here on it is ours to reap, whatever comes.
  running_.push_back({spec.name, pid, static_cast<int>(syscall(SYS_pidfd_open, pid, 0))});
  if (const int error = ReadError(read_end.get()); error != 0) {
    Reap(running_.size() - 1, /*wait=*/true);
    return SystemError("start " + spec.name + " (" + spec.argv[0] + ")", error);
  }
  return pid;
}

std::optional<ProcessExit> LocalProcesses::Reap(size_t index, bool wait) {
  const Child child = running_[index];
  int status = 0;
  pid_t pid;
  do {
    pid = waitpid(child.pid, &status, wait ? 0 : WNOHANG);
  } while (pid < 0 && errno == EINTR);
  if (pid == 0) return std::nullopt;
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
  if (child.pidfd >= 0) close(child.pidfd);
  ProcessExit exit{child.name, child.pid};
  if (pid > 0 && WIFEXITED(status)) exit.code = WEXITSTATUS(status);
  if (pid > 0 && WIFSIGNALED(status)) exit.signal = WTERMSIG(status);
  return exit;
}

std::vector<ProcessExit> LocalProcesses::Wait(Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::vector<ProcessExit> ended;
  while (true) {
    for (size_t i = running_.size(); i-- > 0;) {
      if (auto exit = Reap(i, /*wait=*/false)) ended.push_back(std::move(*exit));
    }
    const Duration left = deadline - std::chrono::steady_clock::now();
    if (!ended.empty() || running_.empty() || left <= Duration::zero()) return ended;
    std::vector<pollfd> waiting;
    int limit = Milliseconds(left);
    for (const Child& child : running_) {
      waiting.push_back({child.pidfd, POLLIN, 0});
      // Without a pidfd (a kernel before 5.3) look again every few milliseconds.
      if (child.pidfd < 0) limit = std::min(limit, 20);
    }
    poll(waiting.data(), waiting.size(), limit);
  }
}

std::vector<ProcessExit> LocalProcesses::WaitAll(Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::vector<ProcessExit> ended;
  while (!running_.empty()) {
    std::vector<ProcessExit> more = Wait(deadline - std::chrono::steady_clock::now());
    if (more.empty()) break;
    for (ProcessExit& exit : more) ended.push_back(std::move(exit));
  }
  return ended;
}

void LocalProcesses::Signal(pid_t pid, int signal) {
  for (const Child& child : running_) {
    if (child.pid == pid) kill(pid, signal);  // not reaped, so the number is still its own
  }
}

void LocalProcesses::SignalAll(int signal) {
  for (const Child& child : running_) kill(child.pid, signal);
}

absl::StatusOr<std::string> ThisProgram() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return SystemError("read /proc/self/exe", error.value());
  return path.string();
}

}  // namespace skein
