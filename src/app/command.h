#ifndef SKEIN_SRC_APP_COMMAND_H_
#define SKEIN_SRC_APP_COMMAND_H_

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <absl/status/status.h>

#include "skein/builtins/builtins.h"

namespace CLI {
class App;
}

namespace skein {

// What programs that call skein can rely on.
enum ExitCode : int {
  kSuccess = 0,
  kRunFailed = 1,  // the run's directory is kept
  kBadInput = 2,   // found before anything was created
};

// What a command works with.
struct CommandContext {
  std::shared_ptr<const Registries> registries;
  std::ostream& out;      // results
  std::ostream& err;      // one line for what went wrong
  std::string log_level;  // as given on the command line; may be empty
  // Set by a command when threads are left behind: the process then ends without its destructors.
  bool leave_at_once = false;
};

// A command of the skein program: one file in commands/ each, listed in Commands().
class Command {
 public:
  virtual ~Command() = default;
  // Adds the command with its options, which are filled in by parsing, to `root`.
  virtual void Define(CLI::App& root) = 0;
  // Whether the command line chose it.
  virtual bool chosen() const = 0;
  virtual int Run(CommandContext& context) = 0;
};

std::unique_ptr<Command> MakeRunCommand();
std::unique_ptr<Command> MakeSweepCommand();
std::unique_ptr<Command> MakeSimulateCommand();
std::unique_ptr<Command> MakeConditionsCommand();
std::unique_ptr<Command> MakeControlCommand();
std::unique_ptr<Command> MakeAggregatorCommand();
std::unique_ptr<Command> MakeWorkerCommand();
std::unique_ptr<Command> MakeTopologyCommand();
std::unique_ptr<Command> MakeStrategiesCommand();
std::unique_ptr<Command> MakeBenchCommand();
std::unique_ptr<Command> MakePlotCommand();
std::unique_ptr<Command> MakeModelCommand();
std::unique_ptr<Command> MakeAggregateCommand();
std::unique_ptr<Command> MakeDoctorCommand();
std::unique_ptr<Command> MakeSubmitCommand();
std::unique_ptr<Command> MakeLsCommand();
std::unique_ptr<Command> MakeWatchCommand();
std::unique_ptr<Command> MakeLogsCommand();
std::unique_ptr<Command> MakeStopCommand();
std::unique_ptr<Command> MakeHelpCommand();

// "skein: message" as one line; returns `code`.
int Complain(CommandContext& context, const std::string& message, ExitCode code);
int Complain(CommandContext& context, const absl::Status& status, ExitCode code);

// Writes a result to the file at `path`, or to stdout if that is empty; returns the exit code.
int ShowOrWrite(CommandContext& context, const std::string& text, const std::string& path);

}  // namespace skein

#endif  // SKEIN_SRC_APP_COMMAND_H_
