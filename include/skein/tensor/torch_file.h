#ifndef SKEIN_TENSOR_TORCH_FILE_H_
#define SKEIN_TENSOR_TORCH_FILE_H_

#include <string>

#include "skein/tensor/state_dict.h"

namespace skein {

// Model files of PyTorch: a dict from names to tensors, as torch.save(module.state_dict(), path)
// writes and torch.load(path) reads. Roles are not kept. Only dicts of tensors are read, wherever
// those were when they were saved, and nothing in a file is executed.

// Whether a file's name says that it is one: .pt, .pth.
bool IsTorchFile(const std::string& path);

// Writes the file anew, or leaves what was there before. Errors: Unavailable/ResourceExhausted with
// the path and the system's reason.
absl::Status WriteTorchFile(const StateDict& state, const std::string& path);

// Tensors in the order of the file, all with role kParameter. NotFound, or InvalidArgument with the
// path and the remedy for what is no dict of tensors.
absl::StatusOr<StateDict> ReadTorchFile(const std::string& path);

}  // namespace skein

#endif  // SKEIN_TENSOR_TORCH_FILE_H_
