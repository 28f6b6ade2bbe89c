#ifndef SKEIN_SRC_TESTING_DELTA_RECEIVER_H_
#define SKEIN_SRC_TESTING_DELTA_RECEIVER_H_

#include <memory>
#include <optional>

#include "skein/codec/pipeline.h"

namespace skein::testing {

// The other end of a DeltaLink, as a node is one: holds what it made of the last payload.
class DeltaReceiver {
 public:
  explicit DeltaReceiver(std::shared_ptr<const CodecPipeline> pipeline)
      : pipeline_(std::move(pipeline)) {}

  absl::StatusOr<PackedTensors> Decode(std::span<const std::byte> payload, VersionRef version,
                                       const Manifest& manifest, BufferPool& buffers) {
    const auto held = held_ ? std::span<const HeldModel>(&*held_, 1) : std::span<const HeldModel>();
    absl::StatusOr<PackedTensors> model = pipeline_->Decode(payload, manifest, buffers, held);
    if (model.ok()) held_ = HeldModel::Of(version, *model);
    return model;
  }

 private:
  const std::shared_ptr<const CodecPipeline> pipeline_;
  std::optional<HeldModel> held_;
};

}  // namespace skein::testing

#endif  // SKEIN_SRC_TESTING_DELTA_RECEIVER_H_
