#ifndef SKEIN_SRC_RUNTIME_MODEL_ENCODER_H_
#define SKEIN_SRC_RUNTIME_MODEL_ENCODER_H_

#include <memory>
#include <optional>

#include <absl/status/statusor.h>

#include "codec/link_codecs.h"
#include "runtime/downlinks.h"
#include "skein/codec/delta_link.h"
#include "skein/runtime/run_config.h"

namespace skein {

// What keys a node's random numbers in what it encodes, apart from the round; no two nodes of a run
// have the same.
CodecContext SenderContext(uint64_t seed, const NodeView& view);

// What the children of a node get of each model. They all get the same, so that it is encoded once,
// and what they make of it is what they work with: with codecs that lose something it is not quite
// the model. With `delta` it is a difference to what they got last, so that nothing of what is lost
// adds up; one more model is held for it. Lives on the node's executor.
class ModelEncoder {
 public:
  // `tier`: the node's. Its links encode models.
  ModelEncoder(std::shared_ptr<const LinkCodecs> codecs, int tier, CodecContext sender,
               std::shared_ptr<BufferPool> buffers);

  // `model` is whole. `payload` is what it was decoded from, if it was: it goes on as it is to
  // children that can make the same of it. InvalidArgument names a tensor with NaN or Inf.
  absl::StatusOr<ModelForChildren> Encode(const VersionRef& version, const OutboundTensors& model,
                                          const std::optional<OutboundTensors>& payload);

 private:
  absl::StatusOr<ModelForChildren> Difference(const VersionRef& version, const PackedTensors& model,
                                              const CodecContext& context);

  const std::shared_ptr<const CodecPipeline> pipeline_;
  const CodecContext sender_;
  const std::shared_ptr<BufferPool> buffers_;
  DeltaLink link_;  // to all children; with `delta`
  // Whether what they hold is the model of that version, and not nearly: only then can they use a
  // difference to it that comes from above.
  bool held_as_made_ = true;
};

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_MODEL_ENCODER_H_
