#ifndef SKEIN_TENSOR_TORCH_MODULE_H_
#define SKEIN_TENSOR_TORCH_MODULE_H_

#include "skein/tensor/state_dict.h"

namespace torch::nn {
class Module;
}

namespace skein {

// The parameters of `module` (role kParameter) and then its buffers (kBuffer), by their dotted
// names, detached but sharing storage with the module: pass to Pack() or clone before training on.
absl::StatusOr<StateDict> StateDictOf(const torch::nn::Module& module);

// Copies `state` into the module's parameters and buffers, outside autograd; values are converted
// to the module's element types. InvalidArgument names the first tensor that is missing, unknown or
// has another shape; nothing is changed then.
absl::Status LoadStateDict(const StateDict& state, torch::nn::Module& module);

}  // namespace skein

#endif  // SKEIN_TENSOR_TORCH_MODULE_H_
