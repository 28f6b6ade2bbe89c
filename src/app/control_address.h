#ifndef SKEIN_SRC_APP_CONTROL_ADDRESS_H_
#define SKEIN_SRC_APP_CONTROL_ADDRESS_H_

#include <string>

namespace CLI {
class App;
}

namespace skein {

// Where a control plane for many runs listens unless told otherwise.
inline constexpr char kControlAddress[] = "127.0.0.1:7400";

// --control, or else SKEIN_CONTROL, or else that.
void DefineControl(CLI::App& command, std::string& address);

}  // namespace skein

#endif  // SKEIN_SRC_APP_CONTROL_ADDRESS_H_
