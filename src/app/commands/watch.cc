#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <limits>
#include <mutex>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/control_address.h"
#include "app/plot/event_log.h"
#include "app/run_watch.h"
#include "app/signals.h"
#include "skein/observe/console.h"

namespace skein {
namespace {

constexpr int kLeft = 130;  // by a signal, before the run has ended: as of other programs
constexpr auto kRetryAfter = std::chrono::seconds(1);

// Set once, by a signal; whoever pauses is woken.
class Leaving {
 public:
  void Set() {
    std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  bool set() {
    std::lock_guard lock(mutex_);
    return set_;
  }
  // False if it was set in the meantime.
  bool Pause() {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, kRetryAfter, [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

class WatchCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("watch",
                                   "Show a run of a control plane: what has been, then what comes");
    command_->add_option("run", run_, "Its id, the beginning of that, or its name")
        ->required()
        ->type_name("RUN");
    command_->add_option("--from", from_, "The first event to show, as counted from 0")
        ->type_name("N")
        ->check(CLI::Range(int64_t{0}, std::numeric_limits<int64_t>::max()))
        ->capture_default_str();
    DefineControl(*command_, control_);
    command_->add_flag("--json", json_, "Print the events, one JSON document a line");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    StopSignals signals;
    const auto client = MakeRunsClient(control_);
    if (!client.ok()) return Complain(context, client.status(), kBadInput);
    Leaving leaving;
    signals.OnStop([&] {
      leaving.Set();
      (*client)->Cancel();
    });
    ConsoleOptions options;
    options.out = &context.out;
    options.err = &context.err;
    options.redraw = &context.out == &std::cout && isatty(STDOUT_FILENO) == 1;
    ConsoleProgress progress(std::move(options));
    RunsClient::Watcher watcher;
    watcher.on_run = [&](const std::string& id) {
      if (!json_) context.out << "run " << id << std::endl;
    };
    watcher.on_waits = [&](const std::string& why) {
      if (!json_ && !why.empty()) context.out << why << std::endl;
    };
    watcher.on_line = [&](uint64_t index, const std::string& line) {
      if (json_) {
        context.out << line << std::endl;
        return;
      }
      const auto event = plot::ParseEvent(line);
      // How long a run is stands in its beginning.
      if (event.ok() && (index >= from_ || event->type == "run_started")) progress.OnEvent(*event);
    };
    const auto end = WatchRun(**client, run_, json_ ? from_ : 0, /*follow=*/true,
                              std::move(watcher), [&] { return leaving.Pause(); });
    signals.OnStop(nullptr);
    if (!end.ok()) return Complain(context, end.status(), kRunFailed);
    if (end->status.empty() && leaving.set()) return kLeft;
    if (end->status.empty() || end->status == "completed") return kSuccess;
    return Complain(context, "the run has " + end->status + ": " + end->reason, kRunFailed);
  }

 private:
  CLI::App* command_ = nullptr;
  std::string run_;
  uint64_t from_ = 0;
  std::string control_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeWatchCommand() { return std::make_unique<WatchCommand>(); }

}  // namespace skein
