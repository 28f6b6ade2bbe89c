#include "app/control_address.h"

#include <CLI/CLI.hpp>

namespace skein {

void DefineControl(CLI::App& command, std::string& address) {
  if (address.empty()) address = kControlAddress;
  command.add_option("--control", address, "Address of the control plane")
      ->envname("SKEIN_CONTROL")
      ->type_name("HOST:PORT")
      ->capture_default_str();
}

}  // namespace skein
