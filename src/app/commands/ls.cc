#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/control_address.h"
#include "app/run_table.h"
#include "control/grpc/runs_client.h"

namespace skein {
namespace {

class LsCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("ls", "List the runs of a control plane");
    DefineControl(*command_, control_);
    command_->add_flag("--json", json_, "Print them as one JSON document");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    const auto client = MakeRunsClient(control_);
    if (!client.ok()) return Complain(context, client.status(), kBadInput);
    const auto runs = (*client)->List();
    if (!runs.ok()) return Complain(context, runs.status(), kRunFailed);
    context.out << (json_ ? ToJson(*runs) + '\n' : ToTable(*runs)) << std::flush;
    return kSuccess;
  }

 private:
  CLI::App* command_ = nullptr;
  std::string control_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeLsCommand() { return std::make_unique<LsCommand>(); }

}  // namespace skein
