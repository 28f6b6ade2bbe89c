#ifndef SKEIN_SRC_CODEC_TENSOR_DECODER_H_
#define SKEIN_SRC_CODEC_TENSOR_DECODER_H_

#include <memory>
#include <span>
#include <vector>

#include "codec/wire.h"
#include "skein/codec/pipeline.h"

namespace skein {

// Turns records back into tensors, each by itself and in any order. Records are anyone's bytes. One
// thread.
class TensorDecoder {
 public:
  // All must stay. `base` may be null; it has the manifest of the tensors.
  TensorDecoder(const CodecPipeline& pipeline, const Manifest& manifest, uint64_t support_seed,
                const HeldModel* base);

  // Reads the record of a tensor into `out`. InvalidArgument names the tensor and the cause.
  absl::Status Decode(size_t tensor, ByteReader& in, std::span<std::byte> out);

 private:
  absl::Status Record(size_t tensor, ByteReader& in, std::span<std::byte> out);
  // What the record says before compression.
  absl::StatusOr<std::span<const std::byte>> Unpack(std::span<const std::byte> record,
                                                    uint64_t most);
  absl::Status Exact(size_t tensor, std::span<const std::byte> body, std::span<std::byte> out);
  absl::Status Dense(size_t tensor, std::span<const std::byte> body, std::span<std::byte> out);
  absl::Status Sparse(size_t tensor, std::span<const std::byte> body, std::span<std::byte> out);
  void Values(std::span<const std::byte> bytes, std::span<float> out) const;

  const CodecPipeline& pipeline_;
  const Manifest& manifest_;
  const uint64_t support_seed_;
  const HeldModel* base_;
  const size_t chunk_;
  std::vector<float> piece_;
  std::unique_ptr<std::byte[]> scratch_;
  uint64_t scratch_bytes_ = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_TENSOR_DECODER_H_
