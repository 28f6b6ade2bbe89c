#include "skein/codec/codec_state.h"

#include <cstring>
#include <string>
#include <string_view>

#include "codec/finite.h"
#include "codec/tensor_encoder.h"
#include "skein/base/status.h"
#include "skein/tensor/safetensors.h"
#include "tensor/safetensors_header.h"

namespace skein {
namespace {

absl::Status NotErrors(const std::string& why) {
  return absl::InvalidArgumentError("kept errors: " + why);
}

}  // namespace

Manifest ErrorManifest(const Manifest& update) {
  std::vector<TensorInfo> tensors;
  for (const TensorInfo& info : update.tensors()) {
    if (!IsFloatParameter(info)) continue;
    tensors.push_back(info);
    tensors.back().dtype = DType::kFloat32;
  }
  // A part of what is a manifest already. Only float16 made wider could pass its bound in bytes.
  auto manifest = Manifest::Create(std::move(tensors));
  return manifest.ok() ? *std::move(manifest) : Manifest();
}

CodecState::CodecState(const Manifest& update) : errors_(ErrorManifest(update)) {
  const std::span<std::byte> bytes = errors_.mutable_bytes();
  if (!bytes.empty()) std::memset(bytes.data(), 0, bytes.size());
}

absl::Status CodecState::Commit() {
  if (!pending_) return absl::FailedPreconditionError("kept errors: no payload is pending");
  errors_ = *std::move(pending_);
  pending_.reset();
  return absl::OkStatus();
}

std::vector<std::byte> CodecState::ToBytes() const {
  const std::string header = SafetensorsHeader(errors_.manifest());
  const auto head = std::as_bytes(std::span(header));
  std::vector<std::byte> bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), errors_.bytes().begin(), errors_.bytes().end());
  return bytes;
}

absl::StatusOr<CodecState> CodecState::FromBytes(std::span<const std::byte> bytes,
                                                 const Manifest& update) {
  uint64_t length = 0;
  if (bytes.size() < sizeof(length)) return NotErrors("no safetensors file");
  std::memcpy(&length, bytes.data(), sizeof(length));
  const auto rest = bytes.subspan(sizeof(length));
  if (length > rest.size()) return NotErrors("truncated in the header");
  const std::string_view json(reinterpret_cast<const char*>(rest.data()), length);
  const auto data = rest.subspan(length);
  const auto manifest = ParseSafetensorsHeader(json, data.size());
  if (!manifest.ok()) return NotErrors(Message(manifest.status()));
  PackedTensors errors(*manifest);
  if (!data.empty()) std::memcpy(errors.mutable_bytes().data(), data.data(), data.size());
  return FromErrors(std::move(errors), update);
}

absl::StatusOr<CodecState> CodecState::FromErrors(PackedTensors errors, const Manifest& update) {
  const Manifest& manifest = errors.manifest();
  const auto same = ErrorManifest(update).ExpectSame(manifest);
  if (!same.ok()) return NotErrors(Message(same));
  for (size_t t = 0; t < manifest.size(); ++t) {
    if (const auto bad = FindNonFinite(DType::kFloat32, errors.tensor(t))) {
      return NotErrors("tensor '" + manifest[t].name + "' has NaN or Inf at index " +
                       std::to_string(*bad));
    }
  }
  return CodecState(std::move(errors));
}

}  // namespace skein
