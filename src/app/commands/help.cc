#include <filesystem>
#include <utility>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/help/command_tree.h"
#include "app/help/completion.h"
#include "app/help/man_page.h"
#include "app/version.h"
#include "federation/run_directory.h"
#include "launch/local_processes.h"
#include "skein/base/names.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// The name that this program was installed under, since it may be a user's own.
std::string ProgramName() {
  const auto path = ThisProgram();
  return path.ok() ? std::filesystem::path(*path).filename().string() : "skein";
}

// Help for people, and what installed programs need of it: man pages and completions of shells.
class HelpCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    root_ = &root;
    command_ =
        root.add_subcommand("help", "Show the help of a command, its man page or completion");
    auto* words = command_->add_option("command", words_, "The command; none: all of them")
                      ->type_name("COMMAND");
    auto* man = command_->add_flag("--man", man_, "Print the man page, as roff");
    auto* pages = command_
                      ->add_option("--man-dir", man_directory_,
                                   "Write the man pages of all commands to this directory")
                      ->type_name("DIR");
    auto* completion = command_
                           ->add_option("--completion", shell_,
                                        "Print a script that completes commands in this shell")
                           ->check(CLI::IsMember({"bash", "zsh"}));
    man->excludes(pages)->excludes(completion);
    pages->excludes(completion)->excludes(words);
    completion->excludes(words);
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    const std::string name = ProgramName();
    const help::CommandTree program = help::Describe(*root_, name);
    const std::string version = name + ' ' + Version();
    if (!man_directory_.empty()) {
      const absl::Status written = WritePages(help::AllPages(program, version));
      return written.ok() ? kSuccess : Complain(context, written, kBadInput);
    }
    if (!shell_.empty()) {
      context.out << (shell_ == "bash" ? help::BashCompletion(program)
                                       : help::ZshCompletion(program))
                  << std::flush;
      return kSuccess;
    }
    if (man_) return ShowPage(program, version, context);
    return ShowHelp(program, context);
  }

 private:
  absl::Status WritePages(const std::vector<std::pair<std::string, std::string>>& pages) const {
    std::error_code error;
    std::filesystem::create_directories(man_directory_, error);
    if (error) {
      return absl::UnavailableError("cannot create " + man_directory_ + ": " + error.message());
    }
    for (const auto& [file, text] : pages) {
      SKEIN_RETURN_IF_ERROR(WriteOut(man_directory_ + '/' + file, text));
    }
    return absl::OkStatus();
  }

  int ShowPage(const help::CommandTree& program, const std::string& version,
               CommandContext& context) const {
    if (words_.empty()) {
      context.out << help::ProgramPage(program, version) << std::flush;
      return kSuccess;
    }
    // Commands below a command are on its page.
    const help::CommandTree* command = program.Find(words_.front());
    if (command == nullptr) return Unknown(program, words_.front(), context);
    context.out << help::CommandPage(program, *command, version) << std::flush;
    return kSuccess;
  }

  int ShowHelp(const help::CommandTree& program, CommandContext& context) const {
    const CLI::App* app = root_;
    const help::CommandTree* tree = &program;
    for (const std::string& word : words_) {
      const help::CommandTree* next = tree->Find(word);
      if (next == nullptr) return Unknown(*tree, word, context);
      for (const CLI::App* child : app->get_subcommands([](const CLI::App*) { return true; })) {
        if (child->get_name() == word) app = child;
      }
      tree = next;
    }
    // Not by app->help(), which would be that of this command, since it was parsed.
    context.out << app->get_formatter()->make_help(app, tree->path, CLI::AppFormatMode::Normal)
                << std::flush;
    return kSuccess;
  }

  static int Unknown(const help::CommandTree& tree, const std::string& word,
                     CommandContext& context) {
    std::vector<std::string> known;
    for (const help::CommandTree& command : tree.commands) known.push_back(command.name);
    const std::string end = known.empty() ? "" : Suggestion(word, known);
    return Complain(context, tree.path + " has no command " + QuoteName(word) + end, kBadInput);
  }

  CLI::App* root_ = nullptr;
  CLI::App* command_ = nullptr;
  std::vector<std::string> words_;
  bool man_ = false;
  std::string man_directory_;
  std::string shell_;
};

}  // namespace

std::unique_ptr<Command> MakeHelpCommand() { return std::make_unique<HelpCommand>(); }

}  // namespace skein
