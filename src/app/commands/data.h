#ifndef SKEIN_SRC_APP_COMMANDS_DATA_H_
#define SKEIN_SRC_APP_COMMANDS_DATA_H_

#include "app/command.h"

namespace skein {

// `skein data`: who would have which samples.
std::unique_ptr<Command> MakeDataCommand();

}  // namespace skein

#endif  // SKEIN_SRC_APP_COMMANDS_DATA_H_
