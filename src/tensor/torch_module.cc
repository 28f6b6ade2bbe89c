#include "skein/tensor/torch_module.h"

#include <torch/nn/module.h>

#include "skein/base/status.h"
#include "tensor/copy_state.h"

namespace skein {

absl::StatusOr<StateDict> StateDictOf(const torch::nn::Module& module) {
  StateDict state;
  // A layer without a bias or without running statistics registers undefined tensors.
  for (const auto& item : module.named_parameters()) {
    if (!item.value().defined()) continue;
    SKEIN_RETURN_IF_ERROR(state.Add(item.key(), item.value().detach(), TensorRole::kParameter));
  }
  for (const auto& item : module.named_buffers()) {
    if (!item.value().defined()) continue;
    SKEIN_RETURN_IF_ERROR(state.Add(item.key(), item.value().detach(), TensorRole::kBuffer));
  }
  return state;
}

absl::Status LoadStateDict(const StateDict& state, torch::nn::Module& module) {
  // The tensors of this view share the module's storage, outside autograd.
  SKEIN_ASSIGN_OR_RETURN(const StateDict own, StateDictOf(module));
  return CopyState(state, own);
}

}  // namespace skein
