#ifndef SKEIN_BUILTINS_LEARNERS_H_
#define SKEIN_BUILTINS_LEARNERS_H_

#include "skein/runtime/learner.h"

namespace skein {

// The learners that every skein program has: `echo` (returns the model it got plus a constant; for
// benchmarks and, with its faults, for tests), `linear` (synthetic regression) and `torchscript` (a
// model written in Python, data in files). Aborts if a name is taken.
void RegisterBuiltinLearners(LearnerRegistry& registry);

}  // namespace skein

#endif  // SKEIN_BUILTINS_LEARNERS_H_
