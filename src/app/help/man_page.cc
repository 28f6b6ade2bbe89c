#include "app/help/man_page.h"

#include <algorithm>
#include <cctype>

namespace skein::help {
namespace {

// Text of one line for roff: no escapes, and nothing at its beginning that would be a request.
std::string Roff(const std::string& text) {
  std::string out;
  if (!text.empty() && (text[0] == '.' || text[0] == '\'')) out += "\\&";
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '\n':
        out += ' ';
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Bold(const std::string& text) { return "\\fB" + Roff(text) + "\\fR"; }
std::string Italic(const std::string& text) { return "\\fI" + Roff(text) + "\\fR"; }

// Of the page; "skein topology" has skein-topology(1).
std::string PageName(const std::string& path) {
  std::string name = path;
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

std::string ValueOf(const Argument& argument) {
  return Italic(argument.value) + (argument.many ? " ..." : "");
}

// The usage of a command, as one line.
std::string Synopsis(const CommandTree& command) {
  std::string out = Bold(command.path);
  if (!command.options.empty()) out += " [" + Italic("OPTION") + "]...";
  for (const Argument& argument : command.positionals) {
    out += argument.required ? ' ' + ValueOf(argument) : " [" + ValueOf(argument) + ']';
  }
  if (!command.commands.empty()) {
    out += ' ' + Italic("COMMAND") + " [" + Italic("ARGUMENT") + "]...";
  }
  return out;
}

std::string Sentence(std::string text) {
  if (!text.empty() && std::isalnum(static_cast<unsigned char>(text.back())) != 0) text += '.';
  if (!text.empty() && text.back() == ')') text += '.';
  return text;
}

std::string Described(const Argument& argument) {
  std::string out = Roff(Sentence(argument.description));
  const auto add = [&out](const std::string& more) { out += (out.empty() ? "" : " ") + more; };
  if (!argument.choices.empty()) {
    std::string choices;
    for (const std::string& choice : argument.choices) {
      choices += (choices.empty() ? "" : ", ") + Bold(choice);
    }
    add("One of " + choices + '.');
  }
  if (!argument.range.empty()) add("From " + Roff(argument.range) + '.');
  if (!argument.default_value.empty()) add("Default: " + Bold(argument.default_value) + '.');
  if (!argument.variable.empty()) add("Environment: " + Bold(argument.variable) + '.');
  if (argument.required && !argument.names.empty()) add("Needed.");
  return out + '\n';
}

std::string ArgumentList(const CommandTree& command) {
  std::string out;
  for (const Argument& argument : command.positionals) {
    out += ".TP\n" + ValueOf(argument) + '\n' + Described(argument);
  }
  for (const Argument& option : command.options) {
    std::string names;
    for (const std::string& name : option.names) {
      names += (names.empty() ? "" : ", ") + Bold(name);
    }
    if (!option.is_flag()) names += ' ' + ValueOf(option);
    out += ".TP\n" + names + '\n' + Described(option);
  }
  return out;
}

std::string Head(const std::string& path, const std::string& description,
                 const std::string& version) {
  const std::string name = PageName(path);
  std::string title = name;
  std::transform(title.begin(), title.end(), title.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return ".\\\" Made by `" + path.substr(0, path.find(' ')) +
         " help --man-dir` from its definition.\n" + ".TH \"" + Roff(title) + "\" 1 \"\" \"" +
         Roff(version) + "\" \"User Commands\"\n" + ".SH NAME\n" + Roff(name) + " \\- " +
         Roff(description) + '\n';
}

// The commands below a command, each under a heading of its own, however deep.
std::string Below(const CommandTree& command) {
  std::string out;
  for (const CommandTree& child : command.commands) {
    out += ".SS " + Roff(child.path) + '\n' + Roff(Sentence(child.description)) + "\n.PP\n" +
           Synopsis(child) + '\n' + ArgumentList(child) + Below(child);
  }
  return out;
}

constexpr char kExitStatus[] =
    ".SH EXIT STATUS\n"
    ".TP\n\\fB0\\fR\nSuccess.\n"
    ".TP\n\\fB1\\fR\nA run has failed or was stopped; its directory is kept.\n"
    ".TP\n\\fB2\\fR\nBad usage or bad input, found before anything was created.\n";

}  // namespace

std::string ProgramPage(const CommandTree& program, const std::string& version) {
  std::string out =
      Head(program.path, program.description, version) + ".SH SYNOPSIS\n" + Synopsis(program) +
      '\n' +
      ".SH DESCRIPTION\n"
      "Workers train a model on data that stays with them, a tree of aggregators adds "
      "up what they learn, and a control plane schedules the rounds. Results go to "
      "standard output, logs and errors to standard error. Each command has a page "
      "of its own.\n.SH COMMANDS\n";
  for (const CommandTree& command : program.commands) {
    out += ".TP\n\\fB" + Roff(PageName(command.path)) + "\\fR(1)\n" +
           Roff(Sentence(command.description)) + '\n';
  }
  return out + ".SH OPTIONS\n" + ArgumentList(program) + kExitStatus;
}

std::string CommandPage(const CommandTree& program, const CommandTree& command,
                        const std::string& version) {
  std::string out = Head(command.path, command.description, version) + ".SH SYNOPSIS\n" +
                    Synopsis(command) + "\n.SH OPTIONS\n" + ArgumentList(command) +
                    ".PP\nThe options of \\fB" + Roff(PageName(program.path)) +
                    "\\fR(1) may stand here, too.\n";
  if (!command.commands.empty()) out += ".SH COMMANDS\n" + Below(command);
  return out + kExitStatus + ".SH SEE ALSO\n\\fB" + Roff(PageName(program.path)) + "\\fR(1)\n";
}

std::vector<std::pair<std::string, std::string>> AllPages(const CommandTree& program,
                                                          const std::string& version) {
  std::vector<std::pair<std::string, std::string>> pages;
  pages.emplace_back(PageName(program.path) + ".1", ProgramPage(program, version));
  for (const CommandTree& command : program.commands) {
    pages.emplace_back(PageName(command.path) + ".1", CommandPage(program, command, version));
  }
  return pages;
}

}  // namespace skein::help
