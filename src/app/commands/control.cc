#include <utility>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/open_files.h"
#include "app/run_flags.h"
#include "app/signals.h"
#include "federation/run_directory.h"
#include "federation/run_host.h"
#include "skein/base/status.h"
#include "skein/base/thread_pool.h"

namespace skein {
namespace {

class ControlCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("control", "Host the control plane of one run");
    command_->add_option("--spec", flags_.spec, "The run: a YAML file (see docs/run_spec.md)")
        ->required()
        ->type_name("SPEC");
    flags_.Define(*command_);
    command_->add_option("--listen", listen_, "Address to listen at; port 0: any free one")
        ->type_name("HOST:PORT")
        ->capture_default_str();
    command_->add_option("--address-file", address_file_, "File or pipe that gets the address")
        ->type_name("PATH");
    command_->add_flag("--insecure", insecure_, "Allow listening beyond loopback, without TLS");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    StopSignals signals;
    auto run = Resolve(flags_, *context.registries);
    if (!run.ok()) return Complain(context, run.status(), kBadInput);
    const absl::Status files = AllowOpenFiles(FilesFor(1), "the control plane");
    if (!files.ok()) return Complain(context, files, kBadInput);
    ThreadPool pool(2);
    auto host = RunHost::Create({.spec = run->spec,
                                 .directory = run->directory,
                                 .listen_address = listen_,
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

 private:
  CLI::App* command_ = nullptr;
  RunFlags flags_;
  std::string listen_ = "127.0.0.1:0";
  std::string address_file_;
  bool insecure_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeControlCommand() { return std::make_unique<ControlCommand>(); }

}  // namespace skein
