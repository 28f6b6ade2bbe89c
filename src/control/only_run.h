#ifndef SKEIN_SRC_CONTROL_ONLY_RUN_H_
#define SKEIN_SRC_CONTROL_ONLY_RUN_H_

#include <memory>
#include <string>

#include "skein/control/control_plane.h"

namespace skein {

// The receiver of a control plane that has one run and ends with it: all nodes of all processes are
// for that run. Any thread may call.
std::shared_ptr<ControlReceiver> MakeOnlyRun(std::shared_ptr<ControlPlane> plane,
                                             std::string run_id);

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_ONLY_RUN_H_
