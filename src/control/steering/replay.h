#ifndef SKEIN_SRC_CONTROL_STEERING_REPLAY_H_
#define SKEIN_SRC_CONTROL_STEERING_REPLAY_H_

#include <absl/status/status.h>

#include "skein/control/steering.h"

namespace skein {

absl::Status RegisterReplay(SteeringRegistry& registry);

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_STEERING_REPLAY_H_
