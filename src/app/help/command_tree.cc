#include "app/help/command_tree.h"

#include <CLI/CLI.hpp>

namespace skein::help {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// CLI11 has one text for the type of an argument and all of its checks, as in
// "N:INT in [1 - 4096]" or "TEXT:{auto,all,summary}".
void ReadType(const std::string& type, Argument& argument) {
  const size_t colon = type.find(':');
  argument.value = type.substr(0, colon);
  if (colon == type.npos) return;
  const std::string checks = type.substr(colon + 1);
  const size_t open = checks.find_first_of("{[");
  const size_t close = checks.find_last_of("}]");
  if (open == checks.npos || close == checks.npos || close < open) return;
  const std::string inside = checks.substr(open + 1, close - open - 1);
  if (checks[open] == '{') {
    argument.choices = CLI::detail::split(inside, ',');
  } else if (const size_t dash = inside.find(" - "); dash != inside.npos) {
    argument.range = inside.substr(0, dash) + " to " + inside.substr(dash + 3);
  }
}

Offers OffersOf(const Argument& argument) {
  if (!argument.choices.empty()) return Offers::kChoices;
  if (argument.value == "COMMAND") return Offers::kCommands;
  if (Has(argument.value, "FILE") || Has(argument.value, "SPEC")) return Offers::kFiles;
  return Has(argument.value, "DIR") ? Offers::kDirectories : Offers::kNothing;
}

Argument Describe(const CLI::Option& option) {
  Argument argument;
  for (const std::string& name : option.get_snames()) argument.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) argument.names.push_back("--" + name);
  if (option.get_items_expected_max() > 0) ReadType(option.get_type_name(), argument);
  argument.description = option.get_description();
  argument.default_value = option.get_default_str();
  argument.variable = option.get_envname();
  argument.required = option.get_required();
  argument.many = option.get_items_expected_max() > 1 && option.get_allow_extra_args();
  argument.offers = OffersOf(argument);
  return argument;
}

}  // namespace

const CommandTree* CommandTree::Find(const std::string& command) const {
  for (const CommandTree& child : commands) {
    if (child.name == command) return &child;
  }
  return nullptr;
}

CommandTree Describe(const CLI::App& app, const std::string& program) {
  CommandTree tree{.name = program, .path = program, .description = app.get_description()};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    (option->get_positional() ? tree.positionals : tree.options).push_back(Describe(*option));
  }
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (child->get_group().empty()) continue;
    CommandTree& added =
        tree.commands.emplace_back(Describe(*child, program + ' ' + child->get_name()));
    added.name = child->get_name();
  }
  return tree;
}

}  // namespace skein::help
