#include "app/help/typo.h"

#include <vector>

#include <CLI/CLI.hpp>

#include "skein/base/names.h"

namespace skein::help {
namespace {

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(child->get_name());
  }
  return names;
}

std::vector<std::string> OptionsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// What CLI11 says, with arguments in the order in which they were given.
std::string WhatOf(const CLI::ParseError& error, const std::vector<std::string>& left) {
  if (left.size() < 2 || dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) {
    return error.what();
  }
  return "The following arguments were not expected: " + CLI::detail::join(left, " ");
}

}  // namespace

std::string Explain(const CLI::App& app, const CLI::ParseError& error) {
  // The command that was reached, and the first word that nobody took.
  const CLI::App* command = &app;
  std::string path = app.get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().back();
    path += ' ' + command->get_name();
  }
  const std::string see = "; see " + path + " --help";
  const std::vector<std::string> left = app.remaining(true);
  const std::vector<std::string> commands = CommandsOf(*command);
  const std::string what = WhatOf(error, left);
  if (left.empty() || left.front().empty()) return what + see;
  const std::string& word = left.front();
  if (word.front() != '-') {
    if (commands.empty()) return what + see;
    return path + " has no command " + QuoteName(word) + Suggestion(word, commands) + see;
  }
  std::vector<std::string> options = OptionsOf(*command);
  if (command != &app) {
    for (std::string& name : OptionsOf(app)) options.push_back(std::move(name));
  }
  const std::string name = word.substr(0, word.find('='));
  const auto nearest = NearestName(name, options);
  if (!nearest) return what + see;
  return path + " has no option " + QuoteName(name) + "; did you mean '" + *nearest + "'?" + see;
}

}  // namespace skein::help
