#ifndef SKEIN_BUILTINS_LEARNERS_ECHO_H_
#define SKEIN_BUILTINS_LEARNERS_ECHO_H_

#include "skein/runtime/learner.h"

namespace skein {

absl::Status RegisterEchoLearner(LearnerRegistry& registry);

}  // namespace skein

#endif  // SKEIN_BUILTINS_LEARNERS_ECHO_H_
