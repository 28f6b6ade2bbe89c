#ifndef SKEIN_SRC_APP_HELP_MAN_PAGE_H_
#define SKEIN_SRC_APP_HELP_MAN_PAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "app/help/command_tree.h"

namespace skein::help {

// The man page of a program as a whole, with a list of its commands.
std::string ProgramPage(const CommandTree& program, const std::string& version);

// The man page of one of its commands: skein-topology(1), with the commands of that in it.
std::string CommandPage(const CommandTree& program, const CommandTree& command,
                        const std::string& version);

// All of them with the names of their files: "skein.1", "skein-run.1", ...
std::vector<std::pair<std::string, std::string>> AllPages(const CommandTree& program,
                                                          const std::string& version);

}  // namespace skein::help

#endif  // SKEIN_SRC_APP_HELP_MAN_PAGE_H_
