#ifndef SKEIN_SKEIN_H_
#define SKEIN_SKEIN_H_

// Everything that most programs need.

#include "skein/app/app.h"                   // IWYU pragma: export
#include "skein/base/random.h"               // IWYU pragma: export
#include "skein/base/status.h"               // IWYU pragma: export
#include "skein/builtins/builtins.h"         // IWYU pragma: export
#include "skein/data/idx.h"                  // IWYU pragma: export
#include "skein/data/partition.h"            // IWYU pragma: export
#include "skein/federation/federation.h"     // IWYU pragma: export
#include "skein/learners/data_files.h"       // IWYU pragma: export
#include "skein/learners/module_learner.h"   // IWYU pragma: export
#include "skein/learners/terms_optimizer.h"  // IWYU pragma: export
#include "skein/runtime/learner.h"           // IWYU pragma: export
#include "skein/tensor/safetensors.h"        // IWYU pragma: export
#include "skein/tensor/state_dict.h"         // IWYU pragma: export
#include "skein/tensor/torch_module.h"       // IWYU pragma: export
#include "skein/topology/topology.h"         // IWYU pragma: export

#endif  // SKEIN_SKEIN_H_
