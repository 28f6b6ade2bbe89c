#include <vector>

#include "app/help/completion.h"

namespace skein::help {
namespace {

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// A name that bash takes for a function.
std::string FunctionName(const std::string& program) {
  std::string out = "_";
  for (const char c : program) {
    const bool keep = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    out += keep ? c : '_';
  }
  return out;
}

// The assignments that say what an argument offers; `all` is the program.
std::string OfferOf(const Argument& argument, const CommandTree& all) {
  switch (argument.offers) {
    case Offers::kNothing:
      return "";
    case Offers::kFiles:
      return "files=-f";
    case Offers::kDirectories:
      return "files=-d";
    case Offers::kChoices:
      return "words='" + Joined(argument.choices) + "'";
    case Offers::kCommands: {
      std::vector<std::string> names;
      for (const CommandTree& command : all.commands) names.push_back(command.name);
      return "words='" + Joined(names) + "'";
    }
  }
  return "";
}

// The parts of the script that grow with the commands. `path` is that of the script: " run",
// " topology show"; that of the program is empty.
struct Cases {
  std::string commands;  // words that lead from one path to the next
  std::string values;    // what an option takes
  std::string rest;      // what else may stand there
};

void AddCases(const CommandTree& command, const std::string& path, const CommandTree& all,
              Cases& cases) {
  std::vector<std::string> options, names;
  std::string offers;
  for (const Argument& option : command.options) {
    for (const std::string& name : option.names) {
      options.push_back(name);
      if (option.is_flag()) continue;
      // Where it takes a value that nobody can guess, nothing is offered.
      const std::string offer = OfferOf(option, all);
      cases.values +=
          "    '" + path + ' ' + name + "') " + offer + (offer.empty() ? "" : " ") + "value=1 ;;\n";
    }
  }
  for (const Argument& argument : command.positionals) {
    const std::string offer = OfferOf(argument, all);
    if (!offer.empty() && offers.find(offer) == offers.npos) offers += "; " + offer;
  }
  for (const CommandTree& child : command.commands) {
    names.push_back(child.name);
    cases.commands += "      '" + path + ' ' + child.name + "') path=\"$path $word\" ;;\n";
    AddCases(child, path + ' ' + child.name, all, cases);
  }
  cases.rest += "    '" + path + "') options='" + Joined(options) + "'";
  if (!names.empty()) cases.rest += "; words='" + Joined(names) + "'";
  cases.rest += offers + " ;;\n";
}

}  // namespace

std::string BashCompletion(const CommandTree& program) {
  Cases cases;
  AddCases(program, "", program, cases);
  const std::string function = FunctionName(program.name);
  std::vector<std::string> everywhere;
  std::string everywhere_values;
  for (const Argument& option : program.options) {
    for (const std::string& name : option.names) {
      everywhere.push_back(name);
      if (option.is_flag()) continue;
      const std::string offer = OfferOf(option, program);
      everywhere_values +=
          "    *' " + name + "') " + offer + (offer.empty() ? "" : " ") + "value=1 ;;\n";
    }
  }
  return "# bash completion for " + program.name + ", made by `" + program.name +
         " help --completion bash`.\n" + function +
         "() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
         "  local path= word= words= options= files= value= i\n"
         "  COMPREPLY=()\n"
         "  # bash takes --option=value for three words.\n"
         "  if [[ $cur == = ]]; then\n"
         "    cur=\n"
         "  elif [[ $prev == = && COMP_CWORD -gt 2 ]]; then\n"
         "    prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
         "  fi\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    word=${COMP_WORDS[i]}\n"
         "    case \"$path $word\" in\n" +
         cases.commands +
         "    esac\n"
         "  done\n"
         "  case \"$path $prev\" in\n" +
         cases.values + everywhere_values +
         "  esac\n"
         "  if [[ -z $value ]]; then\n"
         "    case \"$path\" in\n" +
         cases.rest +
         "    esac\n"
         "    if [[ $cur == -* ]]; then\n"
         "      words=\"$options " +
         Joined(everywhere) +
         "\" files=\n"
         "    fi\n"
         "  fi\n"
         "  mapfile -t COMPREPLY < <(\n"
         "    [[ -n $words ]] && compgen -W \"$words\" -- \"$cur\" | sort -u\n"
         "    [[ -n $files ]] && compgen \"$files\" -- \"$cur\"\n"
         "  )\n"
         "  # Names of files get a slash and escapes; outside of a completion there is no "
         "compopt.\n"
         "  [[ -n $files ]] && compopt -o filenames 2>/dev/null\n"
         "  return 0\n"
         "}\n"
         "complete -F " +
         function + ' ' + program.name + '\n';
}

}  // namespace skein::help
