#include "skein/tensor/torch_file.h"

#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/serialize.h>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "tensor/new_file.h"
#include "tensor/pickled_tensors.h"
#include "tensor/scalar_types.h"

namespace skein {
namespace {

absl::Status NoModel(const std::string& path, const std::string& why) {
  return absl::InvalidArgumentError(
      path + ": " + why +
      "; write it with torch.save(module.state_dict(), path), or as safetensors");
}

// The file's archive and what is in it, whose errors are exceptions with stack traces for texts.
absl::StatusOr<StateDict> ReadArchive(const std::string& path) {
  caffe2::serialize::PyTorchStreamReader archive(path);
  if (archive.hasRecord("constants.pkl")) return NoModel(path, "is a TorchScript program");
  if (archive.hasRecord("byteorder")) {
    const auto [order, size] = archive.getRecord("byteorder");
    if (std::string_view(static_cast<const char*>(order.get()), size) != "little") {
      return NoModel(path, "is of a machine with another order of bytes");
    }
  }
  const auto [pickle, pickle_size] = archive.getRecord("data.pkl");
  const auto tensors =
      ReadPickledTensors({static_cast<const std::byte*>(pickle.get()), pickle_size});
  if (!tensors.ok()) return NoModel(path, Message(tensors.status()));

  StateDict state;
  struct Storage {
    std::shared_ptr<at::DataPtr> bytes;
    size_t size = 0;
  };
  std::map<std::string, Storage> storages;  // tensors may share one
  for (const PickledTensor& tensor : *tensors) {
    Storage& storage = storages[tensor.storage];
    if (storage.bytes == nullptr) {
      auto [bytes, size] = archive.getRecord("data/" + tensor.storage);
      storage = {std::make_shared<at::DataPtr>(std::move(bytes)), size};
    }
    if (storage.size / SizeOf(tensor.dtype) < tensor.storage_elements) {
      return NoModel(path, QuoteName(tensor.name) + " is cut short");
    }
    auto* first = static_cast<std::byte*>(storage.bytes->get()) +
                  static_cast<size_t>(tensor.offset) * SizeOf(tensor.dtype);
    SKEIN_RETURN_IF_ERROR(Annotate(
        state.Add(tensor.name,
                  at::from_blob(
                      first, tensor.shape, tensor.strides, [owner = storage.bytes](void*) {},
                      at::TensorOptions(ScalarTypeOf(tensor.dtype)))),
        path));
  }
  return state;
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
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::NotFoundError(path + ": there is no such file");
  }
  try {
    return ReadArchive(path);
  } catch (const std::exception&) {
    return NoModel(path, "is no file of PyTorch (1.6 or later), or damaged");
  }
}

}  // namespace skein
