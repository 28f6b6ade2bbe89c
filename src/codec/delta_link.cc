#include "skein/codec/delta_link.h"

#include <span>

#include "skein/base/status.h"

namespace skein {

absl::StatusOr<EncodedTensors> DeltaLink::Encode(const PackedTensors& model, VersionRef version,
                                                 const CodecContext& context, BufferPool& buffers) {
  if (pending_) {
    return absl::FailedPreconditionError("the payload before is neither committed nor rolled back");
  }
  if (!pipeline_->has_delta()) {
    return absl::FailedPreconditionError("'" + pipeline_->form() + "' has no delta");
  }
  const bool differs = held_ && held_->tensors.manifest() == model.manifest();
  SKEIN_ASSIGN_OR_RETURN(EncodedTensors payload,
                         differs ? pipeline_->EncodeDelta(model, *held_, context, buffers)
                                 : pipeline_->Encode(model, context, buffers));
  // What the receiver makes of it, by what the receiver does.
  const auto held = differs ? std::span<const HeldModel>(&*held_, 1) : std::span<const HeldModel>();
  SKEIN_ASSIGN_OR_RETURN(PackedTensors received,
                         pipeline_->Decode(payload.bytes, model.manifest(), buffers, held));
  pending_ = HeldModel::Of(version, std::move(received));
  return payload;
}

absl::Status DeltaLink::Commit() {
  if (!pending_) return absl::FailedPreconditionError("no payload is pending");
  held_ = *std::move(pending_);
  pending_.reset();
  return absl::OkStatus();
}

void DeltaLink::Hold(VersionRef version, PackedTensors model) {
  held_ = HeldModel::Of(version, std::move(model));
  pending_.reset();
}

}  // namespace skein
