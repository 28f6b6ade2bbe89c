#ifndef SKEIN_TESTING_SIM_EXECUTOR_H_
#define SKEIN_TESTING_SIM_EXECUTOR_H_

#include "skein/base/simulation.h"

namespace skein::testing {

// Virtual time, as `skein simulate` has it, for tests of one's own.
using skein::Simulation;

}  // namespace skein::testing

#endif  // SKEIN_TESTING_SIM_EXECUTOR_H_
