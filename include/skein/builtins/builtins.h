#ifndef SKEIN_BUILTINS_BUILTINS_H_
#define SKEIN_BUILTINS_BUILTINS_H_

#include "skein/control/steering.h"
#include "skein/runtime/learner.h"
#include "skein/strategy/registry.h"

namespace skein {

// Everything that names in a spec can refer to. Owned by the App or the Federation.
struct Registries {
  StrategyRegistries strategies;
  LearnerRegistry learners;
  SteeringRegistry steering{"steering"};
};

// The one list of what ships. Aborts if a name is taken already: call it first.
void RegisterBuiltins(Registries& registries);

}  // namespace skein

#endif  // SKEIN_BUILTINS_BUILTINS_H_
