#include "app/run_processes.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include "launch/local_processes.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// How often the launcher looks whether it was asked to stop.
constexpr Duration kGlance = std::chrono::milliseconds(200);
// For nodes to end by themselves once control has ended, beyond the grace of a learner.
constexpr Duration kExitGrace = std::chrono::seconds(5);

class Launcher {
 public:
  Launcher(const RunFlags& flags, const ResolvedRun& run, CommandContext& context)
      : flags_(flags), run_(run), context_(context) {}

  // Any thread.
  void Stop() { stop_ = true; }

  absl::StatusOr<int> Run() {
    SKEIN_ASSIGN_OR_RETURN(program_, ThisProgram());
    SKEIN_ASSIGN_OR_RETURN(const std::string address, StartControl());
    if (address.empty()) return WaitForControl();  // it has said why
    const absl::Status started = StartNodes(address);
    if (!started.ok()) {
      Complain(context_, started, kRunFailed);
      processes_.Signal(control_, SIGTERM);
    }
    const int code = WaitForControl();
    processes_.WaitAll(run_.spec.config.limits.cancel_grace + kExitGrace);
    processes_.SignalAll(SIGKILL);
    processes_.WaitAll(kExitGrace);
    return started.ok() ? code : int{kRunFailed};
  }

 private:
  // Its address; empty if it ended before it had one.
  absl::StatusOr<std::string> StartControl() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) {
      return absl::UnavailableError(std::string("cannot make a pipe: ") + std::strerror(errno));
    }
    ProcessSpec control{"control", {program_, "control", "--spec", flags_.spec}, ""};
    control.argv.insert(control.argv.end(),
                        {"--address-file", "/dev/fd/" + std::to_string(fds[1])});
    for (std::string& argument : flags_.ToArguments(run_.directory)) {
      control.argv.push_back(std::move(argument));
    }
    AddLogLevel(context_.log_level, control);
    const auto pid = processes_.Start(control, /*inherit_fd=*/fds[1]);
    close(fds[1]);
    std::string address;
    char c = 0;
    if (pid.ok()) {
      control_ = *pid;
      while (true) {
        const ssize_t n = read(fds[0], &c, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) address.clear();
        if (n <= 0 || c == '\n') break;
        address += c;
      }
    }
    close(fds[0]);
    if (!pid.ok()) return pid.status();
    return address;
  }

  absl::Status StartNodes(const std::string& address) {
    const std::string logs = run_.directory + "/logs";
    std::error_code error;
    std::filesystem::create_directory(logs, error);
    if (error) return absl::UnavailableError("cannot create " + logs + ": " + error.message());
    for (const TopologyNode& node : run_.spec.topology.nodes()) {
      ProcessSpec process{node.id, {program_}, logs + '/' + node.id + ".log"};
      if (node.role == NodeRole::kWorker) {
        process.argv.push_back("worker");
      } else {
        process.argv.insert(process.argv.end(), {"aggregator", "--role", NameOf(node.role)});
      }
      process.argv.insert(process.argv.end(), {"--control=" + address, "--id=" + node.id});
      AddLogLevel(context_.log_level.empty() ? "info" : context_.log_level, process);
      SKEIN_RETURN_IF_ERROR(processes_.Start(process).status());
      if (stop_) break;
    }
    return absl::OkStatus();
  }

  int WaitForControl() {
    bool told = false;
    while (true) {
      std::optional<int> code;
      for (const ProcessExit& exit : processes_.Wait(kGlance)) {
        if (exit.pid == control_) {
          code = exit.code;
          if (exit.signal != 0) Complain(context_, exit.ToString(), kRunFailed);
        } else if (!exit.ok()) {
          // A node that ends by itself has told the control plane why, which shows it.
          const bool died = exit.signal != 0 && !stop_;
          spdlog::log(died ? spdlog::level::warn : spdlog::level::info, "{}; see {}/logs/{}.log",
                      exit.ToString(), run_.directory, exit.name);
        }
      }
      if (code) return *code < 0 ? int{kRunFailed} : *code;
      if (stop_ && !std::exchange(told, true)) processes_.Signal(control_, SIGTERM);
    }
  }

  static void AddLogLevel(const std::string& level, ProcessSpec& process) {
    if (!level.empty()) process.argv.insert(process.argv.end(), {"--log-level", level});
  }

  const RunFlags& flags_;
  const ResolvedRun& run_;
  CommandContext& context_;
  std::string program_;
  LocalProcesses processes_;
  pid_t control_ = -1;
  std::atomic<bool> stop_ = false;
};

}  // namespace

int RunAsProcesses(const RunFlags& flags, const ResolvedRun& run, StopSignals& signals,
                   CommandContext& context) {
  Launcher launcher(flags, run, context);
  signals.OnStop([&launcher] { launcher.Stop(); });
  const auto code = launcher.Run();
  signals.OnStop(nullptr);
  return code.ok() ? *code : Complain(context, code.status(), kBadInput);
}

}  // namespace skein
