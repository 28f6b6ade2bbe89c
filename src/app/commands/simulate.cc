#include <utility>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/run_flags.h"
#include "app/signals.h"
#include "federation/core_run.h"
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
    command_->add_flag("--no-training", no_training_,
                       "Decisions alone: no learner, no model but its size (conditions.model_mb)");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    StopSignals signals;
    auto run = Resolve(flags_, *context.registries);
    if (!run.ok()) return Complain(context, run.status(), kBadInput);
    if (no_training_) {
      return Run(CoreRun::Create({run->spec, run->directory, flags_.detail(),
                                  MakeProgress(flags_, *run, context)},
                                 *context.registries),
                 signals, context);
    }
    const absl::Status inputs = Preflight(run->spec, *context.registries);
    if (!inputs.ok()) return Complain(context, inputs, kBadInput);
    return Run(SimulatedRun::Create({run->spec, run->directory, MakeProgress(flags_, *run, context),
                                     flags_.detail()},
                                    context.registries),
               signals, context);
  }

 private:
  template <typename Simulated>
  int Run(absl::StatusOr<std::unique_ptr<Simulated>> simulated, StopSignals& signals,
          CommandContext& context) {
    if (!simulated.ok()) return Complain(context, simulated.status(), kBadInput);
    signals.OnStop([&simulated] { (*simulated)->Stop("stopped by a signal"); });
    const RunResult result = (*simulated)->Run();
    signals.OnStop(nullptr);
    return Conclude(flags_, result, context);
  }

  CLI::App* command_ = nullptr;
  RunFlags flags_;
  bool no_training_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeSimulateCommand() { return std::make_unique<SimulateCommand>(); }

}  // namespace skein
