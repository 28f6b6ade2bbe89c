#ifndef SKEIN_SRC_APP_HELP_TYPO_H_
#define SKEIN_SRC_APP_HELP_TYPO_H_

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace skein::help {

// One line on what is wrong with a command line that `app` has refused to parse: with the nearest
// command or option, where one that does not exist was named.
std::string Explain(const CLI::App& app, const CLI::ParseError& error);

}  // namespace skein::help

#endif  // SKEIN_SRC_APP_HELP_TYPO_H_
