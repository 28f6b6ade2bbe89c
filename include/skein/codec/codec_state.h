#ifndef SKEIN_CODEC_CODEC_STATE_H_
#define SKEIN_CODEC_CODEC_STATE_H_

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// What a sender still owes: for each float parameter the sum of what encoding has lost so far, e.
// The next update is sent as p = update + e, and e becomes p less what the receiver makes of it
// (error feedback: Stich et al. 2018, arXiv 1809.07599; Karimireddy et al. 2019, arXiv 1901.09847).
//
// Owned by the sending end of a link: a worker, or an aggregator that encodes what it passes up.
// CodecPipeline::Encode leaves a new e *pending*. Once the receiver has accepted the payload,
// Commit makes it the one; if the payload will not count, Rollback forgets it. Until then nothing
// else can be encoded with this state. One thread at a time.
class CodecState {
 public:
  // Nothing is owed. `update`: the manifest of what is sent (UpdateManifest).
  explicit CodecState(const Manifest& update);

  bool pending() const { return pending_.has_value(); }
  // FailedPrecondition if nothing is pending.
  absl::Status Commit();
  void Rollback() { pending_.reset(); }

  // What is committed as a safetensors file, for a sender that outlives its process: float32
  // tensors named as the parameters. What is pending is not in it.
  std::vector<std::byte> ToBytes() const;
  // The reverse. InvalidArgument if the bytes are no such file, if its tensors are not the
  // parameters of `update`, or if one has NaN or Inf.
  static absl::StatusOr<CodecState> FromBytes(std::span<const std::byte> bytes,
                                              const Manifest& update);
  // The same of tensors that are read already.
  static absl::StatusOr<CodecState> FromErrors(PackedTensors errors, const Manifest& update);

  // The committed errors of the float parameters, in the order of the update.
  const PackedTensors& errors() const { return errors_; }

 private:
  friend class TensorEncoder;
  explicit CodecState(PackedTensors errors) : errors_(std::move(errors)) {}

  PackedTensors errors_;
  std::optional<PackedTensors> pending_;
};

}  // namespace skein

#endif  // SKEIN_CODEC_CODEC_STATE_H_
