#ifndef SKEIN_SRC_APP_HELP_COMMAND_TREE_H_
#define SKEIN_SRC_APP_HELP_COMMAND_TREE_H_

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace skein::help {

// What a shell can offer where an argument is due.
enum class Offers { kNothing, kFiles, kDirectories, kChoices, kCommands };

// An option or a positional argument, as the command line defines it.
struct Argument {
  std::vector<std::string> names;  // "-o", "--output"; of a positional one: empty
  std::string value;               // "FILE"; of a flag: empty
  std::string range;               // "1 to 4096"; may be empty
  std::vector<std::string> choices;
  std::string description;
  std::string default_value;
  std::string variable;  // of the environment
  bool required = false;
  bool many = false;  // takes several values
  Offers offers = Offers::kNothing;

  bool is_flag() const { return value.empty(); }
};

// A command with all that its definition says: what man pages and completions are made from.
struct CommandTree {
  std::string name;
  std::string path;  // "skein topology show"
  std::string description;
  std::vector<Argument> options;
  std::vector<Argument> positionals;
  std::vector<CommandTree> commands;

  const CommandTree* Find(const std::string& command) const;  // null if there is none
};

// The definition of `app` and everything below it, but for what is hidden (its group is ""). The
// program is called `program`.
CommandTree Describe(const CLI::App& app, const std::string& program);

}  // namespace skein::help

#endif  // SKEIN_SRC_APP_HELP_COMMAND_TREE_H_
