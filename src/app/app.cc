#include "skein/app/app.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/commands/data.h"
#include "app/help/typo.h"
#include "app/open_files.h"
#include "app/version.h"
#include "federation/run_directory.h"
#include "federation/torch_threads.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// All commands, in the order of the help.
std::vector<std::unique_ptr<Command>> Commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(MakeRunCommand());
  commands.push_back(MakeSweepCommand());
  commands.push_back(MakeSimulateCommand());
  commands.push_back(MakeConditionsCommand());
  commands.push_back(MakePlotCommand());
  commands.push_back(MakeTopologyCommand());
  commands.push_back(MakeStrategiesCommand());
  commands.push_back(MakeDataCommand());
  commands.push_back(MakeModelCommand());
  commands.push_back(MakeAggregateCommand());
  commands.push_back(MakeControlCommand());
  commands.push_back(MakeAggregatorCommand());
  commands.push_back(MakeWorkerCommand());
  commands.push_back(MakeSubmitCommand());
  commands.push_back(MakeLsCommand());
  commands.push_back(MakeWatchCommand());
  commands.push_back(MakeLogsCommand());
  commands.push_back(MakeStopCommand());
  commands.push_back(MakeBenchCommand());
  commands.push_back(MakeDoctorCommand());
  commands.push_back(MakeHelpCommand());
  return commands;
}

// Logs go to stderr, whatever the command: stdout is for results.
void LogToStderr(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>(
      "skein", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("%H:%M:%S.%e %^%l%$ %v");
  logger->set_level(level.empty() ? spdlog::level::warn : spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

// That every command can do with; with fewer, gRPC and the waiting for signals fail in their own
// ways.
constexpr uint64_t kLeastFiles = 16;

// The command line is wrong, or asks for help.
int Explain(const CLI::App& app, const CLI::ParseError& error, CommandContext& context) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    // Help goes through the parser, which knows whose help was asked for.
    return app.exit(error, context.out, context.err) == 0 ? kSuccess : kBadInput;
  }
  return Complain(context, help::Explain(app, error), kBadInput);
}

int Dispatch(int argc, char** argv, CommandContext& context) {
  CLI::App app("Hierarchical federated learning", "skein");
  app.set_version_flag("--version", std::string("skein ") + Version());
  app.fallthrough();
  app.require_subcommand(0, 1);  // later words that name a command are arguments
  app.add_option("--log-level", context.log_level, "What is logged to stderr (default: warn)")
      ->envname("SKEIN_LOG")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
  const auto commands = Commands();
  for (const auto& command : commands) command->Define(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return Explain(app, error, context);
  }
  LogToStderr(context.log_level);
  const absl::Status files = AllowOpenFiles(kLeastFiles, "skein");
  if (!files.ok()) return Complain(context, files, kBadInput);
  const auto chosen = std::find_if(commands.begin(), commands.end(),
                                   [](const auto& command) { return command->chosen(); });
  if (chosen == commands.end()) {
    return Complain(context, "a command is needed; see skein --help", kBadInput);
  }
  return (*chosen)->Run(context);
}

}  // namespace

int Complain(CommandContext& context, const std::string& message, ExitCode code) {
  std::string line = message;
  std::replace(line.begin(), line.end(), '\n', ' ');
  context.err << "skein: " << line << std::endl;
  return code;
}

int Complain(CommandContext& context, const absl::Status& status, ExitCode code) {
  return Complain(context, Message(status), code);
}

int ShowOrWrite(CommandContext& context, const std::string& text, const std::string& path) {
  if (path.empty()) {
    context.out << text << std::flush;
    return kSuccess;
  }
  const absl::Status written = WriteOut(path, text);
  return written.ok() ? kSuccess : Complain(context, written, kBadInput);
}

App::App() { RegisterBuiltins(registries_); }

void App::RegisterLearner(const std::string& name, LearnerFactory factory, LearnerOptions options) {
  const absl::Status status =
      registries_.learners.Register(name, std::move(factory), std::move(options));
  if (status.ok()) return;
  std::fprintf(stderr, "skein: %s\n", Message(status).c_str());
  std::abort();
}

int App::Main(int argc, char** argv) {
  // A reader of stdout that goes away must not take the run with it.
  std::signal(SIGPIPE, SIG_IGN);
  // A file that grows beyond what the process may write is the call's error, as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  UseOneTorchThread();
  // Borrowed: commands end, or leave the process, before this object does.
  const std::shared_ptr<const Registries> registries(std::shared_ptr<void>(), &registries_);
  CommandContext context{registries, std::cout, std::cerr};
  int code;
  try {
    code = Dispatch(argc, argv, context);
  } catch (const std::exception& error) {
    code = Complain(context, std::string("unexpected error: ") + error.what(), kRunFailed);
  }
  std::cout.flush();
  if (code == kSuccess && !std::cout) {
    // Who reads no further, as head, need not be told.
    pollfd out{STDOUT_FILENO, POLLOUT, 0};
    const bool closed = poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
    if (!closed) {
      Complain(context, "what was to be shown could not be written to stdout", kRunFailed);
    }
    code = kRunFailed;
  }
  if (context.leave_at_once) {
    spdlog::shutdown();
    std::cerr.flush();
    std::_Exit(code);
  }
  return code;
}

}  // namespace skein
