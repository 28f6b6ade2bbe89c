#include <cstdio>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/control_address.h"
#include "app/plot/event_log.h"
#include "app/run_watch.h"

namespace skein {
namespace {

// "   12.345  round 3  w1  update_rejected  reason=\"...\"".
std::string ToLine(const Event& event) {
  char time[32];
  std::snprintf(time, sizeof(time), "%10.3f", event.time_s);
  std::string line = time;
  if (event.round > 0) line += "  round " + std::to_string(event.round);
  if (!event.node.empty()) line += "  " + event.node;
  line += "  " + event.type;
  for (const auto& [name, value] : event.fields) line += "  " + name + '=' + ToJson(value);
  return line;
}

class LogsCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("logs", "Print the events of a run of a control plane");
    command_->add_option("run", run_, "Its id, the beginning of that, or its name")
        ->required()
        ->type_name("RUN");
    command_->add_option("--node", node_, "Only those at this node")->type_name("ID");
    command_->add_option("--event", event_, "Only those of this name")->type_name("NAME");
    DefineControl(*command_, control_);
    command_->add_flag("--json", json_, "Print them as JSON documents, one a line");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    const auto client = MakeRunsClient(control_);
    if (!client.ok()) return Complain(context, client.status(), kBadInput);
    RunsClient::Watcher watcher;
    watcher.on_run = [](const std::string&) {};
    watcher.on_waits = [&](const std::string& why) {
      if (!json_ && !why.empty()) context.out << why << '\n';
    };
    watcher.on_line = [&](uint64_t, const std::string& line) {
      const auto event = plot::ParseEvent(line);
      if (!event.ok()) return;
      if (!node_.empty() && event->node != node_) return;
      if (!event_.empty() && event->type != event_) return;
      context.out << (json_ ? line : ToLine(*event)) << '\n';
    };
    const auto end =
        WatchRun(**client, run_, 0, /*follow=*/false, std::move(watcher), [] { return false; });
    context.out << std::flush;
    return end.ok() ? kSuccess : Complain(context, end.status(), kRunFailed);
  }

 private:
  CLI::App* command_ = nullptr;
  std::string run_;
  std::string node_;
  std::string event_;
  std::string control_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeLogsCommand() { return std::make_unique<LogsCommand>(); }

}  // namespace skein
