#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/control_address.h"
#include "app/run_table.h"
#include "control/grpc/runs_client.h"

namespace skein {
namespace {

class StopCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("stop", "End a run of a control plane");
    command_->add_option("run", run_, "Its id, the beginning of that, or its name")
        ->required()
        ->type_name("RUN");
    DefineControl(*command_, control_);
    command_->add_flag("--json", json_, "Print the run as one JSON document");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    const auto client = MakeRunsClient(control_);
    if (!client.ok()) return Complain(context, client.status(), kBadInput);
    const auto run = (*client)->Stop(run_);
    if (!run.ok()) return Complain(context, run.status(), kRunFailed);
    context.out << (json_ ? ToJson(*run) : run->record.run_id) << std::endl;
    return kSuccess;
  }

 private:
  CLI::App* command_ = nullptr;
  std::string run_;
  std::string control_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeStopCommand() { return std::make_unique<StopCommand>(); }

}  // namespace skein
