#include <future>
#include <utility>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/control_address.h"
#include "app/open_files.h"
#include "app/run_flags.h"
#include "app/signals.h"
#include "federation/run_directory.h"
#include "federation/run_host.h"
#include "federation/run_service.h"
#include "skein/base/status.h"
#include "skein/base/thread_pool.h"

namespace skein {
namespace {

class ControlCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("control", "Host a control plane, for many runs or for one");
    command_
        ->add_option("--listen", listen_,
                     "Address to listen at; port 0: any free one (default: 127.0.0.1:7400, and "
                     "127.0.0.1:0 for one run)")
        ->type_name("HOST:PORT");
    command_->add_option("--address-file", address_file_, "File or pipe that gets the address")
        ->type_name("PATH");
    command_->add_flag("--insecure", insecure_, "Allow listening beyond loopback, without TLS");
    command_->add_option("--dir", directory_, "Where it keeps the records of its runs")
        ->type_name("DIR")
        ->group("For many runs")
        ->capture_default_str();
    command_->add_option("--max-runs", limits_.runs, "Runs that are made side by side")
        ->type_name("N")
        ->check(CLI::Range(1, 10'000))
        ->group("For many runs")
        ->capture_default_str();
    command_->add_option("--max-nodes", limits_.nodes_per_run, "Nodes of a run (0: any number)")
        ->type_name("N")
        ->group("For many runs")
        ->capture_default_str();
    command_->add_option("--runs-per-node", limits_.runs_per_node, "Runs that a node is in at once")
        ->type_name("N")
        ->check(CLI::Range(1, 10'000))
        ->group("For many runs")
        ->capture_default_str();
    command_
        ->add_option("--spec", flags_.spec,
                     "Make this run, a YAML file (see docs/run_spec.md), and end with it")
        ->type_name("SPEC")
        ->group("For one run");
    flags_.Define(*command_, "For one run");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    StopSignals signals;
    return flags_.spec.empty() ? ForMany(signals, context) : ForOne(signals, context);
  }

 private:
  int ForMany(StopSignals& signals, CommandContext& context) {
    if (const std::string flag = flags_.FirstGiven(); !flag.empty()) {
      return Complain(context, flag + " is for the control plane of one run; name it with --spec",
                      kBadInput);
    }
    // Of nodes it cannot know how many there will be.
    const absl::Status files = AllowOpenFiles(FilesFor(1), "the control plane");
    if (!files.ok()) return Complain(context, files, kBadInput);
    ThreadPool pool(2);
    auto service =
        RunService::Create({.directory = directory_,
                            .listen_address = listen_.empty() ? kControlAddress : listen_,
                            .insecure = insecure_,
                            .limits = limits_},
                           pool, *context.registries);
    if (!service.ok()) return Complain(context, service.status(), kBadInput);
    std::promise<void> stopped;
    signals.OnStop([&stopped] { stopped.set_value(); });
    const std::string address = (*service)->address();
    absl::Status published;
    if (!address_file_.empty()) published = WriteOut(address_file_, address + '\n');
    if (published.ok()) {
      context.err << "skein: the control plane listens on " << address << std::endl;
      stopped.get_future().wait();
    }
    signals.OnStop(nullptr);
    (*service)->Shutdown("the control plane was stopped");
    service->reset();
    pool.Shutdown();
    return published.ok() ? kSuccess : Complain(context, published, kRunFailed);
  }

  int ForOne(StopSignals& signals, CommandContext& context) {
    auto run = Resolve(flags_, *context.registries);
    if (!run.ok()) return Complain(context, run.status(), kBadInput);
    const absl::Status files = AllowOpenFiles(FilesFor(1), "the control plane");
    if (!files.ok()) return Complain(context, files, kBadInput);
    ThreadPool pool(2);
    auto host = RunHost::Create({.spec = run->spec,
                                 .directory = run->directory,
                                 .listen_address = listen_.empty() ? "127.0.0.1:0" : listen_,
                                 .insecure = insecure_,
                                 .events = MakeProgress(flags_, *run, context),
                                 .detail = flags_.detail()},
                                pool.NewExecutor(), *context.registries);
    if (!host.ok()) return Complain(context, host.status(), kBadInput);
    (*host)->Start();
    signals.OnStop([&host] { (*host)->Stop("stopped by a signal"); });
    absl::Status published;
    if (!address_file_.empty()) {
      published = WriteOut(address_file_, (*host)->server().address() + '\n');
    }
    if (!published.ok()) (*host)->Stop(Message(published));
    const RunResult result = (*host)->Wait();
    signals.OnStop(nullptr);
    pool.Shutdown();
    return Conclude(flags_, result, context);
  }

  CLI::App* command_ = nullptr;
  RunFlags flags_;
  Dispatcher::Limits limits_;
  std::string directory_ = "skein-control";
  std::string listen_;
  std::string address_file_;
  bool insecure_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeControlCommand() { return std::make_unique<ControlCommand>(); }

}  // namespace skein
