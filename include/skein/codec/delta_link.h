#ifndef SKEIN_CODEC_DELTA_LINK_H_
#define SKEIN_CODEC_DELTA_LINK_H_

#include <memory>
#include <optional>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "skein/codec/pipeline.h"

namespace skein {

// The sending end of a link on which models go down as differences. It knows bit for bit what the
// receiver made of the last payload, losses included, and the next difference is to that: what one
// payload lost the next one contains, so that the two do not drift apart. The receiver decodes with
// the model that it made last (CodecPipeline::Decode).
//
// One for each receiver, or for any number of receivers that get the same payloads. It holds one
// model, and a second one while a payload is pending. One thread at a time.
class DeltaLink {
 public:
  // `pipeline` has `delta`, or the first Encode is refused.
  explicit DeltaLink(std::shared_ptr<const CodecPipeline> pipeline)
      : pipeline_(std::move(pipeline)) {}

  // The payload that gives the receiver `model`, nearly: a difference to what it holds, or the
  // whole model if it holds none or one with other tensors. What the receiver will hold is pending
  // until Commit (it has the payload) or Rollback (it has not); FailedPrecondition if that of
  // another payload is. Other errors as for CodecPipeline::EncodeDelta.
  absl::StatusOr<EncodedTensors> Encode(const PackedTensors& model, VersionRef version,
                                        const CodecContext& context, BufferPool& buffers);
  absl::Status Commit();
  void Rollback() { pending_.reset(); }
  // The receiver has this model, by other means.
  void Hold(VersionRef version, PackedTensors model);

  // What the receiver holds, bit for bit; its digest is that of the model that workers train on.
  const HeldModel* held() const { return held_ ? &*held_ : nullptr; }
  const HeldModel* pending() const { return pending_ ? &*pending_ : nullptr; }

 private:
  const std::shared_ptr<const CodecPipeline> pipeline_;
  std::optional<HeldModel> held_;
  std::optional<HeldModel> pending_;
};

}  // namespace skein

#endif  // SKEIN_CODEC_DELTA_LINK_H_
