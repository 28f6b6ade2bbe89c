#include <cstdio>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/run_flags.h"
#include "skein/base/status.h"
#include "skein/conditions/conditions_model.h"

namespace skein {
namespace {

struct WorkerTimes {
  NodeId worker;
  bool straggler = false;
  std::vector<double> seconds;  // of its training tasks, from the first
};

absl::StatusOr<std::vector<WorkerTimes>> TimesOf(const RunSpec& spec, uint64_t tasks) {
  const Conditions& conditions = spec.config.conditions;
  const Topology& topology = spec.topology;
  if (conditions.compute.task_s == 0 && conditions.compute.trace.empty()) {
    return absl::InvalidArgumentError(
        "conditions.compute.task_s: nothing says how long a task takes; give it, as in --set "
        "conditions.compute.task_s=2");
  }
  SKEIN_ASSIGN_OR_RETURN(const auto model,
                         ConditionsModel::Create(conditions, spec.config.seed,
                                                 topology.num_workers(), topology.num_tiers()));
  std::vector<WorkerTimes> times;
  for (LeafIndex leaf = 0; leaf < topology.num_workers(); ++leaf) {
    const NodeId& id = topology.worker(leaf).id;
    SKEIN_ASSIGN_OR_RETURN(const WorkerPace pace, model->PaceOf(id, leaf));
    times.push_back({id, model->IsStraggler(leaf), {}});
    for (uint64_t task = 0; task < tasks; ++task) {
      times.back().seconds.push_back(ToSeconds(pace.Training(task)));
    }
  }
  return times;
}

void PrintCsv(const std::vector<WorkerTimes>& times, std::ostream& out) {
  out << "worker,task,seconds\n";
  for (const WorkerTimes& of : times) {
    for (size_t task = 0; task < of.seconds.size(); ++task) {
      char seconds[32];
      std::snprintf(seconds, sizeof(seconds), "%.9f", of.seconds[task]);  // whole nanoseconds
      out << of.worker << ',' << task << ',' << seconds << '\n';
    }
  }
}

void PrintJson(const std::vector<WorkerTimes>& times, std::ostream& out) {
  ValueList workers;
  for (const WorkerTimes& of : times) {
    workers.emplace_back(ValueMap{{"worker", of.worker},
                                  {"straggler", of.straggler},
                                  {"seconds", ValueList(of.seconds.begin(), of.seconds.end())}});
  }
  out << ToJson(ValueMap{{"workers", std::move(workers)}}) << '\n';
}

// How long the tasks of each worker take under the conditions of a spec, in the form that
// `conditions.compute.trace` reads: for other programs that are to live in the same conditions.
class ConditionsCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand(
        "conditions", "Print the seconds of each worker's tasks under a spec's conditions, as CSV");
    command_->add_option("spec", flags_.spec, "The run: a YAML file (see docs/run_spec.md)")
        ->required()
        ->type_name("SPEC");
    flags_.DefineSpec(*command_);
    command_->add_option("--tasks", tasks_, "Training tasks of each worker")
        ->type_name("N")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command_->add_flag("--json", json_, "Print one JSON document");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    const auto spec = ResolveSpec(flags_, *context.registries);
    if (!spec.ok()) return Complain(context, spec.status(), kBadInput);
    const auto times = TimesOf(*spec, tasks_);
    if (!times.ok()) return Complain(context, times.status(), kBadInput);
    json_ ? PrintJson(*times, context.out) : PrintCsv(*times, context.out);
    context.out.flush();
    return kSuccess;
  }

 private:
  CLI::App* command_ = nullptr;
  RunFlags flags_;
  uint64_t tasks_ = 1;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeConditionsCommand() { return std::make_unique<ConditionsCommand>(); }

}  // namespace skein
