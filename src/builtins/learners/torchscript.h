#ifndef SKEIN_BUILTINS_LEARNERS_TORCHSCRIPT_H_
#define SKEIN_BUILTINS_LEARNERS_TORCHSCRIPT_H_

#include "skein/runtime/learner.h"

namespace skein {

absl::Status RegisterTorchScriptLearner(LearnerRegistry& registry);

}  // namespace skein

#endif  // SKEIN_BUILTINS_LEARNERS_TORCHSCRIPT_H_
