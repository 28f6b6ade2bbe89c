#include <utility>

#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/run_flags.h"
#include "app/run_processes.h"
#include "app/signals.h"
#include "federation/embedded_run.h"
#include "federation/preflight.h"
#include "skein/base/status.h"

namespace skein {
namespace {

class RunCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("run", "Run a federation on this machine");
    command_->add_option("spec", flags_.spec, "The run: a YAML file (see docs/run_spec.md)")
        ->required()
        ->type_name("SPEC");
    flags_.Define(*command_);
    command_->add_flag("--processes", processes_, "Run every node as its own process");
    command_
        ->add_option("--workers-per-process", workers_per_process_,
                     "With --processes: workers that share a process")
        ->type_name("K")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command_
        ->add_option("--threads", threads_,
                     "Learners that train at once in this process "
                     "(default: one a core)")
        ->type_name("N")
        ->check(CLI::Range(1, 4096));
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    StopSignals signals;
    auto run = Resolve(flags_, *context.registries);
    if (!run.ok()) return Complain(context, run.status(), kBadInput);
    if (processes_ && run->spec.config.conditions.availability != AvailabilityConditions{}) {
      return Complain(context,
                      "conditions.availability: not with --processes; leave one of them out",
                      kBadInput);
    }
    const absl::Status inputs = Preflight(run->spec, *context.registries);
    if (!inputs.ok()) return Complain(context, inputs, kBadInput);
    return processes_ ? RunAsProcesses(flags_, *run, {.workers_per_process = workers_per_process_},
                                       signals, context)
                      : RunEmbedded(*run, signals, context);
  }

 private:
  int RunEmbedded(const ResolvedRun& run, StopSignals& signals, CommandContext& context) {
    auto federation = EmbeddedRun::Create(
        {run.spec, run.directory, threads_, MakeProgress(flags_, run, context), flags_.detail()},
        context.registries);
    if (!federation.ok()) return Complain(context, federation.status(), kBadInput);
    signals.OnStop([&federation] { (*federation)->Stop("stopped by a signal"); });
    const RunResult result = (*federation)->Run();
    signals.OnStop(nullptr);
    if ((*federation)->abandoned() > 0) {
      spdlog::warn("{} learner(s) ignored cancellation; leaving without them",
                   (*federation)->abandoned());
      context.leave_at_once = true;
    }
    return Conclude(flags_, result, context);
  }

  CLI::App* command_ = nullptr;
  RunFlags flags_;
  bool processes_ = false;
  int threads_ = 0;
  int workers_per_process_ = 1;
};

}  // namespace

std::unique_ptr<Command> MakeRunCommand() { return std::make_unique<RunCommand>(); }

}  // namespace skein
