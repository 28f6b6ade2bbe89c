#include <utility>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/run_flags.h"
#include "app/signals.h"
#include "federation/preflight.h"
#include "federation/simulated_run.h"
#include "skein/base/status.h"

namespace skein {
namespace {

class SimulateCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand(
        "simulate", "Run a federation in virtual time, under the conditions of its spec");
    command_->add_option("spec", flags_.spec, "The run: a YAML file (see docs/run_spec.md)")
        ->required()
        ->type_name("SPEC");
    flags_.Define(*command_);
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    StopSignals signals;
    auto run = Resolve(flags_, *context.registries);
    if (!run.ok()) return Complain(context, run.status(), kBadInput);
    const absl::Status inputs = Preflight(run->spec, *context.registries);
    if (!inputs.ok()) return Complain(context, inputs, kBadInput);
    auto simulated = SimulatedRun::Create(
        {run->spec, run->directory, MakeProgress(flags_, *run, context)}, context.registries);
    if (!simulated.ok()) return Complain(context, simulated.status(), kBadInput);
    signals.OnStop([&simulated] { (*simulated)->Stop("stopped by a signal"); });
    const RunResult result = (*simulated)->Run();
    signals.OnStop(nullptr);
    return Conclude(flags_, result, context);
  }

 private:
  CLI::App* command_ = nullptr;
  RunFlags flags_;
};

}  // namespace

std::unique_ptr<Command> MakeSimulateCommand() { return std::make_unique<SimulateCommand>(); }

}  // namespace skein
