#include "skein/tensor/torch_file.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <torch/serialize.h>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "tensor/mapped_file.h"
#include "tensor/new_file.h"
#include "tensor/pickled_tensors.h"
#include "tensor/scalar_types.h"
#include "tensor/zip_records.h"

namespace skein {
namespace {

absl::Status NoModel(const std::string& path, const std::string& why) {
  return absl::InvalidArgumentError(
      path + ": " + why +
      "; write it with torch.save(module.state_dict(), path), or as safetensors");
}

// Tensors may share a storage, and so be more than the file; but not without end.
constexpr uint64_t kMaxGrowth = ZipRecords::kMaxGrowth;

absl::Status CheckTotal(const std::vector<PickledTensor>& tensors, uint64_t file_bytes) {
  uint64_t left = std::max(ZipRecords::kAlwaysUnfolded, file_bytes * kMaxGrowth);
  for (const PickledTensor& tensor : tensors) {
    uint64_t bytes = SizeOf(tensor.dtype);
    for (const int64_t size : tensor.shape) bytes *= static_cast<uint64_t>(size);  // within storage
    if (bytes > left) {
      return absl::InvalidArgumentError("its tensors share storages and are together more than " +
                                        std::to_string(kMaxGrowth) + " times the file");
    }
    left -= bytes;
  }
  return absl::OkStatus();
}

// The records of a file and what its pickle makes of them. Errors are without a path.
absl::StatusOr<StateDict> ReadRecords(std::span<const std::byte> file) {
  SKEIN_ASSIGN_OR_RETURN(const ZipRecords records, ZipRecords::Read(file));
  if (records.Has("constants.pkl")) return absl::InvalidArgumentError("is a TorchScript program");
  if (records.Has("byteorder")) {
    SKEIN_ASSIGN_OR_RETURN(const ZipRecords::Bytes order, records.Get("byteorder"));
    if (std::string_view(reinterpret_cast<const char*>(order.data.get()), order.size) != "little") {
      return absl::InvalidArgumentError("is of a machine with another order of bytes");
    }
  }
  SKEIN_ASSIGN_OR_RETURN(const ZipRecords::Bytes pickle, records.Get("data.pkl"));
  SKEIN_ASSIGN_OR_RETURN(const auto tensors, ReadPickledTensors({pickle.data.get(), pickle.size}));
  StateDict state;
  std::map<std::string, ZipRecords::Bytes> storages;  // tensors may share one
  for (const PickledTensor& tensor : tensors) {
    ZipRecords::Bytes& storage = storages[tensor.storage];
    if (storage.data == nullptr) {
      SKEIN_ASSIGN_OR_RETURN(storage, records.Get("data/" + tensor.storage));
    }
    if (storage.size / SizeOf(tensor.dtype) < tensor.storage_elements) {
      return absl::InvalidArgumentError(QuoteName(tensor.name) + " is cut short");
    }
    auto* first = storage.data.get() + static_cast<size_t>(tensor.offset) * SizeOf(tensor.dtype);
    SKEIN_RETURN_IF_ERROR(state.Add(
        tensor.name, at::from_blob(
                         first, tensor.shape, tensor.strides, [owner = storage.data](void*) {},
                         at::TensorOptions(ScalarTypeOf(tensor.dtype)))));
  }
  SKEIN_RETURN_IF_ERROR(CheckTotal(tensors, file.size()));
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
  SKEIN_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  absl::StatusOr<StateDict> state;
  try {
    state = ReadRecords(file->bytes());
  } catch (const std::exception&) {  // of libtorch; their texts are stack traces
    return NoModel(path, "is damaged");
  }
  if (absl::IsResourceExhausted(state.status())) return Annotate(state.status(), path);
  if (!state.ok()) return NoModel(path, Message(state.status()));
  return state;
}

}  // namespace skein
