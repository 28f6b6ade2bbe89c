#include "skein/tensor/state_dict.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include <ATen/ATen.h>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/base/value.h"

namespace skein {
namespace {

struct ScalarTypeRow {
  DType dtype;
  at::ScalarType scalar_type;
};
constexpr ScalarTypeRow kScalarTypes[] = {
    {DType::kBool, at::kBool},     {DType::kUint8, at::kByte},
    {DType::kInt8, at::kChar},     {DType::kInt16, at::kShort},
    {DType::kInt32, at::kInt},     {DType::kInt64, at::kLong},
    {DType::kFloat16, at::kHalf},  {DType::kBFloat16, at::kBFloat16},
    {DType::kFloat32, at::kFloat}, {DType::kFloat64, at::kDouble},
};

std::optional<DType> DTypeOf(const at::Tensor& tensor) {
  const auto row =
      std::ranges::find(kScalarTypes, tensor.scalar_type(), &ScalarTypeRow::scalar_type);
  if (row == std::end(kScalarTypes)) return std::nullopt;
  return row->dtype;
}

at::ScalarType ScalarTypeOf(DType dtype) {
  return std::ranges::find(kScalarTypes, dtype, &ScalarTypeRow::dtype)->scalar_type;
}

// Row-major memory on the CPU that holds the tensor's values.
at::Tensor Plain(const at::Tensor& tensor) {
  return tensor.detach().resolve_neg().to(at::kCPU).contiguous();
}

}  // namespace

absl::Status StateDict::Add(std::string name, at::Tensor tensor, TensorRole role) {
  const std::string label = "tensor " + JsonQuote(name) + ": ";
  if (index_.contains(name)) return absl::InvalidArgumentError(label + "the name occurs twice");
  if (!tensor.defined()) return absl::InvalidArgumentError(label + "undefined");
  if (tensor.layout() != at::kStrided || tensor.is_nested()) {
    return absl::InvalidArgumentError(label + "sparse and nested tensors cannot be sent");
  }
  if (!DTypeOf(tensor)) {
    return absl::InvalidArgumentError(label + "element type " +
                                      std::string(c10::toString(tensor.scalar_type())) +
                                      " cannot be sent");
  }
  if (tensor.is_meta()) return absl::InvalidArgumentError(label + "has no data (meta device)");
  index_.emplace(name, entries_.size());
  entries_.push_back({std::move(name), std::move(tensor), role});
  return absl::OkStatus();
}

absl::StatusOr<at::Tensor> StateDict::Get(const std::string& name) const {
  if (const auto found = index_.find(name); found != index_.end()) {
    return entries_[found->second].tensor;
  }
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  return absl::NotFoundError("no tensor " + JsonQuote(name) + Suggestion(name, names));
}

absl::StatusOr<PackedTensors> StateDict::Pack() const {
  std::vector<TensorInfo> infos;
  infos.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    infos.push_back({entry.name, *DTypeOf(entry.tensor), entry.tensor.sizes().vec(), entry.role});
  }
  SKEIN_ASSIGN_OR_RETURN(Manifest manifest, Manifest::Create(std::move(infos)));
  PackedTensors packed(std::move(manifest));
  for (size_t i = 0; i < entries_.size(); ++i) {
    const std::span<std::byte> target = packed.mutable_tensor(i);
    if (target.empty()) continue;
    try {
      const at::Tensor plain = Plain(entries_[i].tensor);
      std::memcpy(target.data(), plain.data_ptr(), target.size());
    } catch (const std::exception& error) {  // c10::Error, from the device
      return absl::InternalError("tensor " + JsonQuote(entries_[i].name) + ": " + error.what());
    }
  }
  return packed;
}

StateDict StateDict::Unpack(const PackedTensors& packed) {
  StateDict state;
  const Manifest& manifest = packed.manifest();
  for (size_t i = 0; i < manifest.size(); ++i) {
    const TensorInfo& info = manifest[i];
    at::Tensor tensor = at::empty(info.shape, ScalarTypeOf(info.dtype));
    const std::span<const std::byte> source = packed.tensor(i);
    if (info.dtype == DType::kBool) {
      // The bytes may come from anywhere, and a bool that is neither 0 nor 1 is undefined behavior.
      std::ranges::transform(source, static_cast<bool*>(tensor.data_ptr()),
                             [](std::byte b) { return b != std::byte{0}; });
    } else if (!source.empty()) {
      std::memcpy(tensor.data_ptr(), source.data(), source.size());
    }
    state.index_.emplace(info.name, i);
    state.entries_.push_back({info.name, std::move(tensor), info.role});
  }
  return state;
}

}  // namespace skein
