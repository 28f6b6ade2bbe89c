#ifndef SKEIN_TESTS_UNIT_APP_HELP_EXAMPLE_PROGRAM_H_
#define SKEIN_TESTS_UNIT_APP_HELP_EXAMPLE_PROGRAM_H_

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace skein::help {

// A command line with one of everything.
struct ExampleProgram {
  ExampleProgram() : app("Tends geese", "geese") {
    app.fallthrough();
    app.add_option("--log-level", level, "What is logged")
        ->check(CLI::IsMember(std::vector<std::string>{"info", "warn"}))
        ->envname("GEESE_LOG");
    CLI::App* fly = app.add_subcommand("fly", "Let them fly (don't: \\ pull)");
    fly->add_option("flock", flock, "Who")->required()->type_name("FILE");
    fly->add_option("--far", far, "How far")
        ->type_name("N")
        ->check(CLI::Range(1, 9))
        ->capture_default_str();
    fly->add_option("-o,--out", out, "Where to")->type_name("DIR");
    fly->add_flag("--loud", loud, ".honk: [always]");
    CLI::App* nest = app.add_subcommand("nest", "Look at nests");
    nest->require_subcommand(1);
    nest->add_subcommand("show", "Show one")->add_option("nests", nests, "Which")->type_name("DIR");
    app.add_subcommand("secret", "Not for eyes")->group("");
    fly->add_flag("--secret", loud, "Not for eyes")->group("");
  }
  CLI::App app;
  std::string level, flock, out;
  std::vector<std::string> nests;
  int far = 3;
  bool loud = false;
};

}  // namespace skein::help

#endif  // SKEIN_TESTS_UNIT_APP_HELP_EXAMPLE_PROGRAM_H_
