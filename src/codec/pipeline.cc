#include "skein/codec/pipeline.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "codec/payload_head.h"
#include "codec/support.h"
#include "codec/tensor_decoder.h"
#include "codec/tensor_encoder.h"
#include "skein/base/random.h"
#include "skein/base/status.h"
#include "skein/tensor/digest.h"

namespace skein {
namespace {

constexpr uint64_t kSupport = 0x737570706f7274;  // what a stream of random numbers is for

bool DrawsSupport(const Sparsifier* sparsifier) {
  return sparsifier != nullptr && sparsifier->support() != Sparsifier::Support::kListed;
}

absl::Status CannotFollow(const Codec& codec, const Codec& before) {
  const std::string name = "'" + codec.form() + "' cannot follow '" + before.form() + "'";
  if (codec.stage() == before.stage()) {
    switch (codec.stage()) {
      case CodecStage::kDelta:
        return absl::InvalidArgumentError(name + ": a difference is taken once");
      case CodecStage::kSparsify:
        return absl::InvalidArgumentError(name + ": elements are chosen once");
      case CodecStage::kQuantize:
        return absl::InvalidArgumentError(name + ": values are made narrower once");
      case CodecStage::kCompress:
        return absl::InvalidArgumentError(name + ": bytes are compressed once");
    }
  }
  return absl::InvalidArgumentError(
      name +
      ": the order is delta, then topk or randomk, then fp32, fp16, bf16, int8 or int4, then zstd");
}

}  // namespace

HeldModel HeldModel::Of(VersionRef version, PackedTensors tensors) {
  HeldModel held{version, std::move(tensors)};
  held.checksum = Checksum(held.tensors.bytes());
  return held;
}

absl::StatusOr<std::shared_ptr<const CodecPipeline>> CodecPipeline::Create(
    std::vector<std::shared_ptr<const Codec>> stages) {
  const std::shared_ptr<CodecPipeline> pipeline(new CodecPipeline);
  const Codec* before = nullptr;
  for (const std::shared_ptr<const Codec>& codec : stages) {
    if (before != nullptr && codec->stage() <= before->stage()) {
      return CannotFollow(*codec, *before);
    }
    before = codec.get();
    pipeline->form_ += (pipeline->form_.empty() ? "" : "|") + codec->form();
    pipeline->keeps_error_ = pipeline->keeps_error_ || codec->keeps_error();
    // Only these classes can have these stages.
    switch (codec->stage()) {
      case CodecStage::kDelta:
        pipeline->delta_ = true;
        break;
      case CodecStage::kSparsify:
        pipeline->sparsifier_ = std::static_pointer_cast<const Sparsifier>(codec);
        break;
      case CodecStage::kQuantize:
        pipeline->quantizer_ = std::static_pointer_cast<const Quantizer>(codec);
        break;
      case CodecStage::kCompress:
        pipeline->compressor_ = std::static_pointer_cast<const Compressor>(codec);
        break;
    }
  }
  if (pipeline->form_.size() > kMaxFormBytes) {
    return absl::InvalidArgumentError("the codecs' forms are longer than " +
                                      std::to_string(kMaxFormBytes) + " bytes");
  }
  return pipeline;
}

bool CodecPipeline::keeps_error() const { return keeps_error_ && lossy() && !delta_; }

bool CodecPipeline::IsLossy(const TensorInfo& info) const {
  return lossy() && IsFloatParameter(info);
}

uint64_t CodecPipeline::ValueBytes(uint64_t n) const {
  return quantizer_ != nullptr ? quantizer_->Bytes(n) : n * sizeof(float);
}

uint64_t CodecPipeline::MaxBodyBytes(const TensorInfo& info, bool lossy) const {
  const uint64_t n = info.NumElements();
  if (!lossy || n == 0) return info.NumBytes();
  if (sparsifier_ == nullptr) return ValueBytes(n);
  const uint64_t kept = sparsifier_->Kept(n);
  return ValueBytes(kept) + (DrawsSupport(sparsifier_.get()) ? 0 : skein::MaxSupportBytes(n, kept));
}

uint64_t CodecPipeline::MaxRecordBytes(const TensorInfo& info, bool lossy) const {
  if (info.NumElements() == 0) return 0;
  return MaxBodyBytes(info, lossy) + (compressor_ != nullptr ? 1 : 0);
}

uint64_t CodecPipeline::MaxBytes(const Manifest& manifest) const {
  uint64_t bytes = MaxHeadBytes(form_);
  for (const TensorInfo& info : manifest.tensors()) {
    uint64_t record = MaxRecordBytes(info, IsLossy(info));
    if (delta_) record = std::max(record, MaxRecordBytes(info, false));
    bytes += VarintBytes(record) + record;
  }
  return bytes;
}

absl::StatusOr<EncodedTensors> CodecPipeline::Encode(const PackedTensors& tensors,
                                                     const CodecContext& context,
                                                     BufferPool& buffers, CodecState* state) const {
  if (!keeps_error()) return Run(tensors, context, buffers, nullptr, nullptr);
  if (state == nullptr) {
    return absl::FailedPreconditionError("'" + form_ + "' needs the errors that its sender keeps");
  }
  if (state->pending()) {
    return absl::FailedPreconditionError("the payload before is neither committed nor rolled back");
  }
  SKEIN_RETURN_IF_ERROR(Annotate(
      state->errors().manifest().ExpectSame(ErrorManifest(tensors.manifest())), "kept errors"));
  return Run(tensors, context, buffers, state, nullptr);
}

absl::StatusOr<EncodedTensors> CodecPipeline::EncodeDelta(const PackedTensors& model,
                                                          const HeldModel& base,
                                                          const CodecContext& context,
                                                          BufferPool& buffers) const {
  if (!delta_) {
    return absl::FailedPreconditionError("'" + form_ + "' has no delta: it encodes no differences");
  }
  SKEIN_RETURN_IF_ERROR(base.tensors.manifest().ExpectSame(model.manifest()));
  return Run(model, context, buffers, nullptr, &base);
}

absl::StatusOr<EncodedTensors> CodecPipeline::Run(const PackedTensors& tensors,
                                                  const CodecContext& context, BufferPool& buffers,
                                                  CodecState* state, const HeldModel* base) const {
  const Manifest& manifest = tensors.manifest();
  for (const TensorInfo& info : manifest.tensors()) {
    if (sparsifier_ != nullptr && IsLossy(info) && info.NumElements() > Sparsifier::kMaxElements) {
      return absl::InvalidArgumentError("tensor '" + info.name + "' has more elements than '" +
                                        sparsifier_->form() + "' can number");
    }
  }
  PayloadHead head{.form = form_, .tensors = TensorsMark(manifest)};
  if (base != nullptr) head.base = BaseRef{base->version, base->checksum};
  if (DrawsSupport(sparsifier_.get())) {
    const bool shared = sparsifier_->support() == Sparsifier::Support::kShared;
    head.support =
        DeriveSeed(context.seed, {kSupport, context.round, shared ? ~uint64_t{0} : context.sender});
  }
  // A record may be moved down a few bytes once its length is known.
  const uint64_t room = MaxBytes(manifest) + kMaxVarintBytes;
  std::shared_ptr<std::byte> block = buffers.Take(room);
  ByteWriter out({block.get(), room});
  WriteHead(head, delta_, out);
  TensorEncoder encoder(*this, tensors, context, head.support.value_or(0), base, state, buffers);
  for (size_t t = 0; t < manifest.size(); ++t) SKEIN_RETURN_IF_ERROR(encoder.Encode(t, out));
  encoder.Done();
  return EncodedTensors{{block.get(), out.size()}, std::move(block)};
}

absl::StatusOr<PackedTensors> CodecPipeline::Decode(std::span<const std::byte> payload,
                                                    const Manifest& manifest, BufferPool& buffers,
                                                    std::span<const HeldModel> held) const {
  if (payload.size() > MaxBytes(manifest)) {
    return absl::InvalidArgumentError("payload of " + std::to_string(payload.size()) +
                                      " bytes is longer than the " +
                                      std::to_string(MaxBytes(manifest)) + " allowed");
  }
  ByteReader in(payload);
  SKEIN_ASSIGN_OR_RETURN(const PayloadHead head,
                         ReadHead(form_, delta_, DrawsSupport(sparsifier_.get()), in));
  if (head.tensors != TensorsMark(manifest)) {
    return absl::InvalidArgumentError("payload is of other tensors");
  }
  const HeldModel* base = nullptr;
  if (head.base) {
    const auto found = std::ranges::find(held, head.base->version, &HeldModel::version);
    if (found == held.end()) {
      return absl::FailedPreconditionError("payload is a difference to " +
                                           ToString(head.base->version) + ", which is not here");
    }
    if (found->checksum != head.base->checksum || found->tensors.manifest() != manifest) {
      return absl::FailedPreconditionError("payload is a difference to another " +
                                           ToString(head.base->version) + " than the one here");
    }
    base = &*found;
  }
  PackedTensors tensors(manifest, buffers);
  TensorDecoder decoder(*this, manifest, head.support.value_or(0), base);
  for (size_t t = 0; t < manifest.size(); ++t) {
    SKEIN_RETURN_IF_ERROR(decoder.Decode(t, in, tensors.mutable_tensor(t)));
  }
  if (!in.done()) {
    return absl::InvalidArgumentError("payload goes on after its last tensor, for " +
                                      std::to_string(in.rest().size()) + " bytes");
  }
  return tensors;
}

}  // namespace skein
