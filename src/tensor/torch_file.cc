#include "skein/tensor/torch_file.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include <torch/serialize.h>

#include "skein/base/status.h"
#include "tensor/new_file.h"

namespace skein {
namespace {

absl::Status NoModel(const std::string& path, const std::string& why) {
  return absl::InvalidArgumentError(
      path + ": " + why +
      "; write it with torch.save(dict(module.state_dict()), path), or as safetensors");
}

absl::StatusOr<std::vector<char>> ReadAll(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::NotFoundError(path + ": there is no such file");
  }
  std::ifstream in(path, std::ios::binary);
  std::vector<char> bytes(std::filesystem::file_size(path, error));
  if (error || !in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    return absl::UnavailableError(path + ": cannot be read: " + std::strerror(errno));
  }
  return bytes;
}

absl::StatusOr<c10::IValue> Unpickle(const std::string& path, const std::vector<char>& bytes) {
  try {
    return torch::pickle_load(bytes);
  } catch (const std::exception&) {  // its texts are stack traces
    return NoModel(path, "is no file of PyTorch with a plain dict of tensors");
  }
}

}  // namespace

bool IsTorchFile(const std::string& path) {
  return path.ends_with(".pt") || path.ends_with(".pth");
}

absl::Status WriteTorchFile(const StateDict& state, const std::string& path) {
  c10::Dict<std::string, at::Tensor> dict;
  for (const StateDict::Entry& entry : state.entries()) {
    dict.insert(entry.name, entry.tensor.detach().cpu());
  }
  const std::vector<char> bytes = torch::pickle_save(dict);
  SKEIN_ASSIGN_OR_RETURN(const std::unique_ptr<NewFile> file, NewFile::Create(path, bytes.size()));
  SKEIN_RETURN_IF_ERROR(file->Append(std::as_bytes(std::span(bytes))));
  return file->Commit();
}

absl::StatusOr<StateDict> ReadTorchFile(const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(const std::vector<char> bytes, ReadAll(path));
  SKEIN_ASSIGN_OR_RETURN(const c10::IValue value, Unpickle(path, bytes));
  if (!value.isGenericDict()) return NoModel(path, "holds no dict");
  StateDict state;
  for (const auto& entry : value.toGenericDict()) {
    if (!entry.key().isString()) return NoModel(path, "its dict has keys that are no names");
    const std::string name = entry.key().toStringRef();
    if (!entry.value().isTensor()) return NoModel(path, "'" + name + "' is no tensor");
    SKEIN_RETURN_IF_ERROR(Annotate(state.Add(name, entry.value().toTensor()), path));
  }
  return state;
}

}  // namespace skein
