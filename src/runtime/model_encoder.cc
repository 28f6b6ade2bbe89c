#include "runtime/model_encoder.h"

#include <utility>

#include "skein/base/random.h"
#include "skein/base/status.h"
#include "skein/tensor/digest.h"

namespace skein {
namespace {

OutboundTensors PayloadOf(EncodedTensors payload, const CodecPipeline& pipeline,
                          std::optional<VersionRef> base, const Manifest& manifest) {
  std::string digest = TransferDigest(payload.bytes);
  return OutboundTensors::OfPayload(std::move(payload), pipeline.form(), base, manifest,
                                    std::move(digest));
}

}  // namespace

CodecContext SenderContext(uint64_t seed, const NodeView& view) {
  // Workers of a run are numbered; the nodes above them begin behind the last that there could be.
  const bool worker = view.role == NodeRole::kWorker;
  const uint64_t tier = worker ? 0 : static_cast<uint64_t>(view.tier) + 1;
  return {.seed = seed, .sender = (tier << 32) + view.leaf_begin};
}

ModelEncoder::ModelEncoder(std::shared_ptr<const LinkCodecs> codecs, int tier, CodecContext sender,
                           std::shared_ptr<BufferPool> buffers)
    : pipeline_(codecs, codecs->models(tier)),
      sender_(sender),
      buffers_(std::move(buffers)),
      link_(pipeline_) {}

absl::StatusOr<ModelForChildren> ModelEncoder::Encode(
    const VersionRef& version, const OutboundTensors& model,
    const std::optional<OutboundTensors>& payload) {
  const PackedTensors& tensors = model.tensors();
  const bool same = payload && payload->encoding()->form == pipeline_->form();
  if (pipeline_->has_delta()) {
    const HeldModel* last = link_.held();
    const bool goes_on =
        same && held_as_made_ && last != nullptr && payload->encoding()->base == last->version;
    if (last == nullptr || goes_on || last->tensors.manifest() != tensors.manifest()) {
      link_.Hold(version, tensors);
      held_as_made_ = true;
      return ModelForChildren{model, goes_on ? payload : std::nullopt};
    }
  } else if (same) {
    return ModelForChildren{model, payload};
  }
  CodecContext context = sender_;
  context.round = DeriveSeed(version.version, {version.attempt, version.local_round});
  if (pipeline_->has_delta()) return Difference(version, tensors, context);
  SKEIN_ASSIGN_OR_RETURN(EncodedTensors encoded, pipeline_->Encode(tensors, context, *buffers_));
  OutboundTensors whole = model;
  if (pipeline_->lossy()) {
    SKEIN_ASSIGN_OR_RETURN(PackedTensors received,
                           pipeline_->Decode(encoded.bytes, tensors.manifest(), *buffers_));
    whole = OutboundTensors::OfModel(std::move(received));
  }
  return ModelForChildren{std::move(whole), PayloadOf(std::move(encoded), *pipeline_, std::nullopt,
                                                      tensors.manifest())};
}

absl::StatusOr<ModelForChildren> ModelEncoder::Difference(const VersionRef& version,
                                                          const PackedTensors& model,
                                                          const CodecContext& context) {
  const VersionRef base = link_.held()->version;
  SKEIN_ASSIGN_OR_RETURN(EncodedTensors encoded, link_.Encode(model, version, context, *buffers_));
  // A child that does not get it is given the whole of what the others have.
  SKEIN_RETURN_IF_ERROR(link_.Commit());
  held_as_made_ = !pipeline_->lossy();
  return ModelForChildren{OutboundTensors::OfModel(link_.held()->tensors),
                          PayloadOf(std::move(encoded), *pipeline_, base, model.manifest())};
}

}  // namespace skein
