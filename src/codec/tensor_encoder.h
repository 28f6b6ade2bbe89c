#ifndef SKEIN_SRC_CODEC_TENSOR_ENCODER_H_
#define SKEIN_SRC_CODEC_TENSOR_ENCODER_H_

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "codec/wire.h"
#include "skein/codec/pipeline.h"

namespace skein {

// Turns the tensors of one payload into records, each by itself and in any order. One thread.
class TensorEncoder {
 public:
  // All must stay. `base` and `state` may be null; a state's new errors are its pending ones once
  // Done is called. `support_seed`: what supports are drawn by.
  TensorEncoder(const CodecPipeline& pipeline, const PackedTensors& tensors,
                const CodecContext& context, uint64_t support_seed, const HeldModel* base,
                CodecState* state, BufferPool& buffers);

  // Appends the record of a tensor. InvalidArgument names it.
  absl::Status Encode(size_t tensor, ByteWriter& out);
  void Done();

 private:
  // The body of a record, before compression. False if the tensor is all zeros, which needs none.
  absl::StatusOr<bool> Body(size_t tensor, bool lossy, ByteWriter& out);
  absl::StatusOr<bool> ExactBody(size_t tensor, ByteWriter& out);
  absl::StatusOr<bool> DenseBody(size_t tensor, std::span<float> whole, ByteWriter& out);
  absl::Status SparseBody(size_t tensor, std::span<float> values, ByteWriter& out);
  void Pack(std::span<const std::byte> body, ByteWriter& out);

  void Load(size_t tensor, uint64_t at, std::span<float> out) const;
  // All values of a tensor together with what is owed of it.
  std::span<float> LoadWhole(size_t tensor);
  absl::Status Check(std::span<const float> values, uint64_t at, float limit) const;
  // Values to bytes; in `received` what the receiver makes of them.
  void PutValues(std::span<const float> values, uint64_t first, const CodecRandom& random,
                 std::span<std::byte> out) const;
  void ReceivedValues(std::span<const std::byte> bytes, std::span<float> received) const;
  CodecRandom RoundingOf(size_t tensor) const;
  std::span<std::byte> Scratch(uint64_t bytes);

  const CodecPipeline& pipeline_;
  const PackedTensors& tensors_;
  const CodecContext& context_;
  const uint64_t support_seed_;
  const HeldModel* base_;
  CodecState* state_;
  std::optional<PackedTensors> errors_;  // to be pending
  std::vector<size_t> error_index_;      // of a tensor, in errors_
  const size_t chunk_;                   // values, whole blocks of the quantizer
  std::vector<float> whole_, piece_, received_;
  std::unique_ptr<std::byte[]> scratch_;
  uint64_t scratch_bytes_ = 0;
};

// The manifest of the errors that a sender of `update` keeps: its float parameters, as float32.
Manifest ErrorManifest(const Manifest& update);
// Whether a tensor is one of them.
inline bool IsFloatParameter(const TensorInfo& info) {
  return IsFloat(info.dtype) && info.role == TensorRole::kParameter;
}
// Values that a pipeline works on at a time: a multiple of the quantizer's blocks.
size_t ChunkOf(const Quantizer* quantizer);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_TENSOR_ENCODER_H_
