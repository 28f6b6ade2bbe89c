#include "federation/torch_threads.h"

#include <ATen/Parallel.h>

namespace skein {

void UseOneTorchThread() { at::set_num_threads(1); }

}  // namespace skein
