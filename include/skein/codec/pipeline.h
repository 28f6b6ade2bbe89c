#ifndef SKEIN_CODEC_PIPELINE_H_
#define SKEIN_CODEC_PIPELINE_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "skein/base/ids.h"
#include "skein/codec/codec.h"
#include "skein/codec/codec_state.h"
#include "skein/tensor/packed_tensors.h"

namespace skein {

// What randomness is keyed by, beside the tensor and the position in it. Equal contexts round
// alike, so no two payloads of a run should share one.
struct CodecContext {
  uint64_t seed = 0;    // of the run
  uint64_t round = 0;   // or task: whatever counts the payloads of a sender
  uint64_t sender = 0;  // leaf index of a worker; an aggregator takes numbers above all of them
};

// A payload: bytes, and what keeps them alive.
struct EncodedTensors {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

// A model that both ends of a link have, bit for bit.
struct HeldModel {
  VersionRef version;
  PackedTensors tensors;
  uint64_t checksum = 0;  // Checksum(tensors.bytes())
  static HeldModel Of(VersionRef version, PackedTensors tensors);
};

// How tensors travel over a link: codecs one after another, as in [topk, int8, zstd]. Lossy ones
// work on the float parameters; buffers, whole numbers and bools always travel exactly. Every
// tensor is encoded by itself. docs/strategies/codecs.md has the bytes of a payload.
//
// Both ends make it of the same parts. Immutable; any thread may call it. An empty pipeline sends
// tensors as they are.
class CodecPipeline {
 public:
  // InvalidArgument, one line, if the stages cannot follow one another.
  static absl::StatusOr<std::shared_ptr<const CodecPipeline>> Create(
      std::vector<std::shared_ptr<const Codec>> stages);

  // The stages' forms, joined by '|'; "" for none.
  const std::string& form() const { return form_; }
  bool has_delta() const { return delta_; }
  bool sparsifies() const { return sparsifier_ != nullptr; }
  // Whether anything is lost.
  bool lossy() const { return sparsifier_ != nullptr || quantizer_ != nullptr; }
  // Whether updates need a CodecState. Not so with `delta`: there the next difference, which is to
  // what the receiver has, contains what was lost.
  bool keeps_error() const;

  // No payload for such tensors is longer: what a receiver allows before it takes memory.
  uint64_t MaxBytes(const Manifest& manifest) const;

  // Encodes an update, or whatever else stands for itself; `state` may be null unless the pipeline
  // keeps errors, and is not looked at if it does not. With `delta`, the result is a whole model,
  // exact, for a receiver that has no base. InvalidArgument names the tensor, and the index of what
  // cannot be sent: NaN, Inf, or beyond what the quantizer takes. FailedPrecondition if the state
  // is missing or has something pending. On an error the state is as before.
  absl::StatusOr<EncodedTensors> Encode(const PackedTensors& tensors, const CodecContext& context,
                                        BufferPool& buffers, CodecState* state = nullptr) const;
  // Encodes a model as its difference to `base`; for pipelines with `delta`.
  absl::StatusOr<EncodedTensors> EncodeDelta(const PackedTensors& model, const HeldModel& base,
                                             const CodecContext& context,
                                             BufferPool& buffers) const;

  // What the receiver makes of a payload, whoever sent it, in a block of `buffers`. `manifest` is
  // that of the encoded tensors; memory is bounded by it. InvalidArgument names the tensor and says
  // what is wrong. FailedPrecondition if the payload is a difference to a model that is not among
  // `held`, or that is not bit for bit the same here.
  absl::StatusOr<PackedTensors> Decode(std::span<const std::byte> payload, const Manifest& manifest,
                                       BufferPool& buffers,
                                       std::span<const HeldModel> held = {}) const;

 private:
  friend class TensorEncoder;
  friend class TensorDecoder;
  CodecPipeline() = default;
  absl::StatusOr<EncodedTensors> Run(const PackedTensors& tensors, const CodecContext& context,
                                     BufferPool& buffers, CodecState* state,
                                     const HeldModel* base) const;
  // Whether stages that lose something apply.
  bool IsLossy(const TensorInfo& info) const;
  // Bytes of n values, and of a tensor before compression.
  uint64_t ValueBytes(uint64_t n) const;
  uint64_t MaxBodyBytes(const TensorInfo& info, bool lossy) const;
  uint64_t MaxRecordBytes(const TensorInfo& info, bool lossy) const;

  std::string form_;
  bool delta_ = false;
  std::shared_ptr<const Sparsifier> sparsifier_;
  std::shared_ptr<const Quantizer> quantizer_;
  std::shared_ptr<const Compressor> compressor_;
  bool keeps_error_ = false;
};

}  // namespace skein

#endif  // SKEIN_CODEC_PIPELINE_H_
