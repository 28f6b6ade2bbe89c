#include <cstdio>
#include <cstdlib>

#include "control/steering/reduce_on_plateau.h"
#include "control/steering/replay.h"
#include "skein/base/status.h"

namespace skein {

void RegisterBuiltinSteering(SteeringRegistry& registry) {
  for (auto* register_part : {RegisterReduceOnPlateau, RegisterReplay}) {
    const absl::Status status = register_part(registry);
    if (status.ok()) continue;
    std::fprintf(stderr, "skein: %s\n", Message(status).c_str());
    std::abort();
  }
}

}  // namespace skein
