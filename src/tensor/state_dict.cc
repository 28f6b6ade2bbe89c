#include "skein/tensor/state_dict.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/base/value.h"
#include "tensor/scalar_types.h"

namespace skein {
namespace {

// What libtorch gives its own tensors.
constexpr uint64_t kTensorAlignment = 64;

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

absl::StatusOr<TensorViews> StateDict::View() const {
  std::vector<TensorInfo> infos;
  infos.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    infos.push_back({entry.name, *DTypeOf(entry.tensor), entry.tensor.sizes().vec(), entry.role});
  }
  SKEIN_ASSIGN_OR_RETURN(Manifest manifest, Manifest::Create(std::move(infos)));
  const auto plain = std::make_shared<std::vector<at::Tensor>>();
  std::vector<std::span<const std::byte>> bytes;
  for (size_t i = 0; i < entries_.size(); ++i) {
    try {
      plain->push_back(Plain(entries_[i].tensor));
    } catch (const std::exception& error) {  // c10::Error, from the device
      return absl::InternalError("tensor " + JsonQuote(entries_[i].name) + ": " + error.what());
    }
    bytes.emplace_back(static_cast<const std::byte*>(plain->back().data_ptr()),
                       manifest[i].NumBytes());
  }
  return TensorViews(std::move(manifest), std::move(bytes), plain);
}

absl::StatusOr<PackedTensors> StateDict::Pack() const {
  SKEIN_ASSIGN_OR_RETURN(const TensorViews views, View());
  PackedTensors packed(views.manifest());
  for (size_t i = 0; i < entries_.size(); ++i) {
    std::ranges::copy(views.tensor(i), packed.mutable_tensor(i).begin());
  }
  return packed;
}

StateDict StateDict::Unpack(const PackedTensors& packed) {
  BufferPool buffers;
  return Unpack(packed, buffers);
}

StateDict StateDict::Unpack(const PackedTensors& packed, BufferPool& buffers) {
  return Unpack(packed, buffers.Take(UnpackedOffsets(packed.manifest()).back()));
}

std::vector<uint64_t> StateDict::UnpackedOffsets(const Manifest& manifest) {
  std::vector<uint64_t> offsets = {0};
  for (const TensorInfo& info : manifest.tensors()) {
    const uint64_t end = offsets.back() + info.NumBytes();
    offsets.push_back((end + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment);
  }
  return offsets;
}

StateDict StateDict::Unpack(const PackedTensors& packed, const std::shared_ptr<std::byte>& block) {
  StateDict state;
  const Manifest& manifest = packed.manifest();
  const std::vector<uint64_t> starts = UnpackedOffsets(manifest);
  for (size_t i = 0; i < manifest.size(); ++i) {
    const TensorInfo& info = manifest[i];
    const std::span<const std::byte> source = packed.tensor(i);
    std::byte* target = block.get() + starts[i];
    if (info.dtype == DType::kBool) {
      // The bytes may come from anywhere, and a bool that is neither 0 nor 1 is undefined behavior.
      std::ranges::transform(source, target,
                             [](std::byte b) { return std::byte{b != std::byte{0}}; });
    } else {
      std::ranges::copy(source, target);
    }
    at::Tensor tensor = at::from_blob(
        target, info.shape, [block](void*) {}, ScalarTypeOf(info.dtype));
    state.index_.emplace(info.name, i);
    state.entries_.push_back({info.name, std::move(tensor), info.role});
  }
  return state;
}

bool StateDict::HoldsAlone(const std::shared_ptr<std::byte>& block) const {
  const std::byte* start = block.get();
  for (const Entry& entry : entries_) {
    const at::Tensor& tensor = entry.tensor;
    const bool alone = tensor.use_count() == 1 && tensor.storage().use_count() == 1;
    const bool plain = tensor.is_contiguous() && tensor.device().is_cpu() && !tensor.is_neg();
    if (!alone || !plain) return false;
    if (tensor.numel() > 0 && tensor.data_ptr() != start) return false;
    const auto bytes = static_cast<uint64_t>(tensor.numel()) * tensor.element_size();
    start += (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
  }
  // Each of them holds the block, and so does the caller.
  return static_cast<size_t>(block.use_count()) == entries_.size() + 1;
}

}  // namespace skein
