#include "skein/builtins/learners.h"

#include <cstdio>
#include <cstdlib>

#include "builtins/learners/echo.h"
#include "builtins/learners/linear.h"
#include "builtins/learners/torchscript.h"
#include "skein/base/status.h"

namespace skein {

void RegisterBuiltinLearners(LearnerRegistry& registry) {
  for (const absl::Status& status : {RegisterEchoLearner(registry), RegisterLinearLearner(registry),
                                     RegisterTorchScriptLearner(registry)}) {
    if (status.ok()) continue;
    std::fprintf(stderr, "skein: %s\n", Message(status).c_str());
    std::abort();
  }
}

}  // namespace skein
