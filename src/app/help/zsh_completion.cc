#include <vector>

#include "app/help/completion.h"

namespace skein::help {
namespace {

// Within single quotes, in a specification of _arguments: brackets and colons mean something there.
std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out;
}

std::string FunctionName(const std::string& path) {
  std::string out = "_";
  for (const char c : path) out += c == ' ' ? '_' : c;
  return out;
}

// " 'run:Run a federation' ...", for _describe.
std::string Described(const std::vector<CommandTree>& commands) {
  std::string out;
  for (const CommandTree& command : commands) {
    out += " '" + Escaped(command.name) + ':' + Escaped(command.description) + "'";
  }
  return out;
}

std::string ActionOf(const Argument& argument, const CommandTree& all) {
  std::string words;
  switch (argument.offers) {
    case Offers::kNothing:
      return " ";
    case Offers::kFiles:
      return "_files";
    case Offers::kDirectories:
      return "_files -/";
    case Offers::kChoices:
      for (const std::string& choice : argument.choices) words += ' ' + choice;
      break;
    case Offers::kCommands:
      for (const CommandTree& command : all.commands) words += ' ' + command.name;
      break;
  }
  return "(" + words.substr(1) + ")";
}

// One specification for each name of an option.
std::string SpecsOf(const Argument& option, const CommandTree& all) {
  std::string out;
  for (const std::string& name : option.names) {
    const bool takes_value = !option.is_flag();
    const bool is_long = name.rfind("--", 0) == 0;
    out += " \\\n    '*" + name + (takes_value && is_long ? "=" : "") + '[' +
           Escaped(option.description) + ']';
    if (takes_value) out += ':' + Escaped(option.value) + ':' + ActionOf(option, all);
    out += "'";
  }
  return out;
}

// The functions of the commands below, then that of this one.
std::string FunctionsOf(const CommandTree& command, const CommandTree& all) {
  std::string out;
  for (const CommandTree& child : command.commands) out += FunctionsOf(child, all);
  out += FunctionName(command.path) + "() {\n  local context state state_descr line\n" +
         "  typeset -A opt_args\n  _arguments -C";
  for (const Argument& option : command.options) out += SpecsOf(option, all);
  if (&command != &all) {
    for (const Argument& option : all.options) {
      if (option.names.back() != "--help") out += SpecsOf(option, all);
    }
  }
  if (!command.commands.empty()) {
    out += " \\\n    '1:command:->command' '*::argument:->argument'";
  } else {
    int place = 0;
    for (const Argument& argument : command.positionals) {
      out += std::string(" \\\n    '") + (argument.many ? "*" : std::to_string(++place)) +
             (argument.required ? ":" : "::") + Escaped(argument.value) + ':' +
             ActionOf(argument, all) + "'";
    }
  }
  out += '\n';
  if (!command.commands.empty()) {
    out +=
        "  case $state in\n    command)\n      local -a commands=(" + Described(command.commands) +
        " )\n      _describe command commands\n      ;;\n    argument)\n      case $line[1] in\n";
    for (const CommandTree& child : command.commands) {
      out += "        " + child.name + ") " + FunctionName(child.path) + " ;;\n";
    }
    out += "      esac\n      ;;\n  esac\n";
  }
  return out + "}\n";
}

}  // namespace

std::string ZshCompletion(const CommandTree& program) {
  const std::string function = FunctionName(program.path);
  return "#compdef " + program.name + "\n# zsh completion for " + program.name + ", made by `" +
         program.name + " help --completion zsh`.\n" + FunctionsOf(program, program) +
         "if [[ $funcstack[1] == " + function + " ]]; then\n  " + function +
         " \"$@\"\nelse\n  compdef " + function + ' ' + program.name + "\nfi\n";
}

}  // namespace skein::help
