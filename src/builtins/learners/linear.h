#ifndef SKEIN_BUILTINS_LEARNERS_LINEAR_H_
#define SKEIN_BUILTINS_LEARNERS_LINEAR_H_

#include "skein/runtime/learner.h"

namespace skein {

absl::Status RegisterLinearLearner(LearnerRegistry& registry);

}  // namespace skein

#endif  // SKEIN_BUILTINS_LEARNERS_LINEAR_H_
