#include "app/run_processes.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "app/open_files.h"
#include "launch/local_processes.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// How often the launcher looks whether it was asked to stop.
constexpr int kGlanceMs = 200;
constexpr Duration kGlance = std::chrono::milliseconds(kGlanceMs);
// For nodes to end by themselves once control has ended, beyond the grace of a learner; and for
// control to end once it was asked to.
constexpr Duration kExitGrace = std::chrono::seconds(5);

class Launcher {
 public:
  Launcher(const RunFlags& flags, const ResolvedRun& run, const ProcessOptions& options,
           CommandContext& context)
      : flags_(flags), run_(run), options_(options), context_(context) {}

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
      if (options_.on_start) options_.on_start(control_, "control");
      while (!stop_) {
        pollfd readable{fds[0], POLLIN, 0};
        if (poll(&readable, 1, kGlanceMs) == 0) continue;
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
    const std::string level = context_.log_level.empty() ? "info" : context_.log_level;
    std::vector<NodeId> workers;  // that share the next process
    for (const TopologyNode& node : run_.spec.topology.nodes()) {
      if (stop_) return absl::OkStatus();
      if (node.role == NodeRole::kWorker) {
        workers.push_back(node.id);
        if (workers.size() < static_cast<size_t>(options_.workers_per_process)) continue;
        SKEIN_RETURN_IF_ERROR(StartProcess(std::exchange(workers, {}), {"worker"}, address, level));
      } else {
        SKEIN_RETURN_IF_ERROR(
            StartProcess({node.id}, {"aggregator", "--role", NameOf(node.role)}, address, level));
      }
    }
    if (workers.empty() || stop_) return absl::OkStatus();
    return StartProcess(workers, {"worker"}, address, level);
  }

  absl::Status StartProcess(const std::vector<NodeId>& ids, const std::vector<std::string>& command,
                            const std::string& address, const std::string& level) {
    ProcessSpec process{ids.front(), {program_}, run_.directory + "/logs/" + ids.front() + ".log"};
    process.argv.insert(process.argv.end(), command.begin(), command.end());
    process.argv.push_back("--control=" + address);
    process.argv.push_back("--no-wait");
    for (const NodeId& id : ids) process.argv.push_back("--id=" + id);
    if (command.front() == "worker" && run_.spec.config.worker_state.empty()) {
      process.argv.push_back("--state=" + run_.directory + "/workers");
    }
    AddLogLevel(level, process);
    SKEIN_ASSIGN_OR_RETURN(const pid_t pid, processes_.Start(process));
    if (options_.on_start) options_.on_start(pid, command.back());
    return absl::OkStatus();
  }

  // Control that does not end although it was asked to, or although no node is left, is killed:
  // it is stopped or stuck.
  int WaitForControl() {
    bool told = false;
    std::optional<std::chrono::steady_clock::time_point> patience;
    while (true) {
      std::optional<int> code;
      for (const ProcessExit& exit : processes_.Wait(kGlance)) {
        if (exit.pid == control_) {
          code = exit.code;
          if (told && exit.signal == SIGTERM) {
            Complain(context_, "the run was stopped before it had begun", kRunFailed);
          } else if (exit.signal != 0) {
            Complain(context_, exit.ToString(), kRunFailed);
          }
        } else if (!exit.ok()) {
          // A node that ends by itself has told the control plane why, which shows it.
          const bool died = exit.signal != 0 && !stop_;
          spdlog::log(died ? spdlog::level::warn : spdlog::level::info, "{}; see {}/logs/{}.log",
                      exit.ToString(), run_.directory, exit.name);
        }
      }
      if (code) return *code < 0 ? int{kRunFailed} : *code;
      if (stop_ && !std::exchange(told, true)) processes_.Signal(control_, SIGTERM);
      if (!told && processes_.running() > 1) continue;
      const auto now = std::chrono::steady_clock::now();
      if (!patience) {
        patience = now + run_.spec.config.limits.cancel_grace + 2 * kExitGrace;
      } else if (now > *patience) {
        patience = std::chrono::steady_clock::time_point::max();
        processes_.Signal(control_, SIGKILL);
      }
    }
  }

  static void AddLogLevel(const std::string& level, ProcessSpec& process) {
    if (!level.empty()) process.argv.insert(process.argv.end(), {"--log-level", level});
  }

  const RunFlags& flags_;
  const ResolvedRun& run_;
  const ProcessOptions& options_;
  CommandContext& context_;
  std::string program_;
  LocalProcesses processes_;
  pid_t control_ = -1;
  std::atomic<bool> stop_ = false;
};

// The process that needs most: an inner node with its children, one with many workers, or control.
absl::Status AllowFilesOf(const Topology& topology, int workers_per_process) {
  const auto together = static_cast<uint64_t>(workers_per_process);
  const uint64_t workers = topology.num_workers();
  const uint64_t inner = topology.nodes().size() - workers;
  const uint64_t processes = inner + (workers + together - 1) / together;
  SKEIN_RETURN_IF_ERROR(AllowOpenFiles(FilesFor(processes), "the control plane"));
  SKEIN_RETURN_IF_ERROR(AllowOpenFiles(FilesFor(std::min(workers, together)),
                                       "a process of " + std::to_string(together) + " workers"));
  for (const TopologyNode& node : topology.nodes()) {
    SKEIN_RETURN_IF_ERROR(AllowOpenFiles(FilesFor(node.children.size()), "node '" + node.id + "'"));
  }
  return absl::OkStatus();
}

}  // namespace

int RunAsProcesses(const RunFlags& flags, const ResolvedRun& run, const ProcessOptions& options,
                   StopSignals& signals, CommandContext& context) {
  const absl::Status files = AllowFilesOf(run.spec.topology, options.workers_per_process);
  if (!files.ok()) return Complain(context, files, kBadInput);
  Launcher launcher(flags, run, options, context);
  signals.OnStop([&launcher] { launcher.Stop(); });
  const auto code = launcher.Run();
  signals.OnStop(nullptr);
  return code.ok() ? *code : Complain(context, code.status(), kBadInput);
}

}  // namespace skein
