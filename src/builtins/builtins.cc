#include "skein/builtins/builtins.h"

#include "skein/builtins/codecs.h"
#include "skein/builtins/learners.h"
#include "skein/builtins/strategies.h"

namespace skein {

void RegisterBuiltins(Registries& registries) {
  RegisterBuiltinStrategies(registries.strategies);
  RegisterBuiltinCodecs(registries.strategies.codecs);
  RegisterBuiltinLearners(registries.learners);
  RegisterBuiltinSteering(registries.steering);
}

}  // namespace skein
