#ifndef SKEIN_SRC_CONTROL_STEERING_REDUCE_ON_PLATEAU_H_
#define SKEIN_SRC_CONTROL_STEERING_REDUCE_ON_PLATEAU_H_

#include <absl/status/status.h>

#include "skein/control/steering.h"

namespace skein {

absl::Status RegisterReduceOnPlateau(SteeringRegistry& registry);

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_STEERING_REDUCE_ON_PLATEAU_H_
