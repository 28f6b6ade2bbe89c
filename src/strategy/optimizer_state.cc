#include "strategy/optimizer_state.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "skein/base/status.h"
#include "skein/tensor/safetensors.h"

namespace skein {

OptimizerState::OptimizerState(std::string optimizer, std::vector<SlotSpec> slots)
    : optimizer_(std::move(optimizer)), slots_(std::move(slots)) {}

absl::StatusOr<Manifest> OptimizerState::Layout(const Manifest& model) const {
  std::vector<TensorInfo> tensors;
  for (const TensorInfo& info : model.tensors()) {
    if (!IsFloat(info.dtype) || info.role != TensorRole::kParameter) continue;
    for (const SlotSpec& slot : slots_) {
      tensors.push_back(
          {.name = optimizer_ + "." + slot.name + "/" + info.name, .shape = info.shape});
    }
  }
  tensors.push_back({.name = optimizer_ + ".steps", .dtype = DType::kInt64, .shape = {}});
  return Manifest::Create(std::move(tensors));
}

absl::Status OptimizerState::Prepare(const Manifest& model, const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(layout_, Layout(model));
  first_.assign(model.size(), 0);
  for (size_t t = 0, next = 0; t < model.size(); ++t) {
    if (!IsFloat(model[t].dtype) || model[t].role != TensorRole::kParameter) continue;
    first_[t] = std::exchange(next, next + slots_.size());
  }
  BufferPool pool;
  block_ = pool.Take(layout_.total_bytes());
  if (!path.empty()) return Load(path);
  for (size_t i = 0; i + 1 < layout_.size(); ++i) {
    std::ranges::fill(WholeSlot(i), SpecOf(i).initial);
  }
  return absl::OkStatus();
}

absl::Status OptimizerState::Load(const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(const PackedTensors stored, ReadSafetensors(path));
  const std::string context =
      path + ": is no state of optimizer '" + optimizer_ + "' for this model";
  SKEIN_RETURN_IF_ERROR(Annotate(layout_.ExpectSame(stored.manifest()), context));
  int64_t steps = 0;
  std::memcpy(&steps, stored.tensor(layout_.size() - 1).data(), sizeof(steps));
  if (steps < 1) return absl::InvalidArgumentError(context + ": it has made no step");
  std::memcpy(block_.get(), stored.bytes().data(), stored.bytes().size());
  for (const float value : Floats()) {
    if (!std::isfinite(value)) return absl::InvalidArgumentError(context + ": it holds NaN or Inf");
  }
  for (size_t i = 0; i + 1 < layout_.size(); ++i) {
    if (!SpecOf(i).squares) continue;
    if (std::ranges::all_of(WholeSlot(i), [](float square) { return square >= 0; })) continue;
    return absl::InvalidArgumentError(context + ": tensor '" + layout_[i].name +
                                      "' has negative squares");
  }
  steps_ = static_cast<uint64_t>(steps);
  return absl::OkStatus();
}

std::span<float> OptimizerState::Floats() {
  return {reinterpret_cast<float*>(block_.get()),
          (layout_.total_bytes() - sizeof(int64_t)) / sizeof(float)};
}

std::span<float> OptimizerState::WholeSlot(size_t i) {
  return Floats().subspan(layout_.offset(i) / sizeof(float), layout_[i].NumElements());
}

std::span<float> OptimizerState::Slot(size_t slot, size_t tensor, uint64_t offset, size_t count) {
  const size_t at = first_[tensor] + slot;
  return Floats().subspan(layout_.offset(at) / sizeof(float) + offset, count);
}

void OptimizerState::CountStep() { ++steps_; }

void OptimizerState::CopyFrom(const OptimizerState& other) {
  if (!layout_.ExpectSame(other.layout_).ok()) return;
  std::memcpy(block_.get(), other.block_.get(), layout_.total_bytes());
  steps_ = other.steps_;
}

PackedTensors OptimizerState::Tensors() const {
  if (steps_ == 0) return {};
  std::byte* const end = block_.get() + layout_.total_bytes() - sizeof(int64_t);
  const auto steps = static_cast<int64_t>(steps_);
  std::memcpy(end, &steps, sizeof(steps));
  return {layout_, {block_.get(), layout_.total_bytes()}, block_};
}

ParamSpec StateParam() {
  return {.name = "state",
          .type = ParamSpec::Type::kPath,
          .default_value = "",
          .doc =
              "file with what the optimizer has gathered in another run, its "
              "optimizer.safetensors; empty: it begins anew"};
}

}  // namespace skein
