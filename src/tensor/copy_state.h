#ifndef SKEIN_SRC_TENSOR_COPY_STATE_H_
#define SKEIN_SRC_TENSOR_COPY_STATE_H_

#include "skein/tensor/state_dict.h"

namespace skein {

// Copies `state` into the tensors of `own`, those of a module, outside autograd. InvalidArgument
// names the first tensor that is missing, unknown or has another shape; nothing is changed then.
absl::Status CopyState(const StateDict& state, const StateDict& own);

}  // namespace skein

#endif  // SKEIN_SRC_TENSOR_COPY_STATE_H_
