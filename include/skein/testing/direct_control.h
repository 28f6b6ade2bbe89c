#ifndef SKEIN_TESTING_DIRECT_CONTROL_H_
#define SKEIN_TESTING_DIRECT_CONTROL_H_

#include "skein/control/direct_control.h"

namespace skein::testing {

// A control plane in the same process, for tests of one's own.
using skein::DirectControl;

}  // namespace skein::testing

#endif  // SKEIN_TESTING_DIRECT_CONTROL_H_
