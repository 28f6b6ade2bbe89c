#ifndef SKEIN_SRC_APP_HELP_COMPLETION_H_
#define SKEIN_SRC_APP_HELP_COMPLETION_H_

#include <string>

#include "app/help/command_tree.h"

namespace skein::help {

// Scripts that let a shell complete the commands of a program, their options and what these take.
// They have everything in them: the program is not run while somebody types.

// To be sourced by bash 4 or later.
std::string BashCompletion(const CommandTree& program);

// For a directory in zsh's fpath, as the file _NAME; may be sourced, too.
std::string ZshCompletion(const CommandTree& program);

}  // namespace skein::help

#endif  // SKEIN_SRC_APP_HELP_COMPLETION_H_
