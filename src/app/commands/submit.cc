#include <utility>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/control_address.h"
#include "app/run_flags.h"
#include "app/run_table.h"
#include "control/grpc/runs_client.h"

namespace skein {
namespace {

class SubmitCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("submit", "Hand in a run to a control plane for many");
    command_->add_option("spec", flags_.spec, "The run: a YAML file (see docs/run_spec.md)")
        ->required()
        ->type_name("SPEC");
    flags_.DefineSpec(*command_);
    DefineControl(*command_, control_);
    command_->add_flag("--json", json_, "Print the run as one JSON document");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    const auto spec = ResolveSpec(flags_, *context.registries);
    if (!spec.ok()) return Complain(context, spec.status(), kBadInput);
    const auto client = MakeRunsClient(control_);
    if (!client.ok()) return Complain(context, client.status(), kBadInput);
    const auto run = (*client)->Submit(ToYaml(*spec));
    if (!run.ok()) return Complain(context, run.status(), kRunFailed);
    context.out << (json_ ? ToJson(*run) : run->record.run_id) << std::endl;
    return kSuccess;
  }

 private:
  CLI::App* command_ = nullptr;
  RunFlags flags_;
  std::string control_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeSubmitCommand() { return std::make_unique<SubmitCommand>(); }

}  // namespace skein
