#ifndef SKEIN_CODEC_REGISTRY_H_
#define SKEIN_CODEC_REGISTRY_H_

#include <memory>
#include <span>

#include <absl/status/statusor.h>

#include "skein/codec/pipeline.h"
#include "skein/strategy/registry.h"

namespace skein {

// Codecs by name: CodecRegistry registry("codec").
using CodecRegistry = Registry<const Codec>;

// The pipeline of these parts, in their order. InvalidArgument, for users: an unknown codec, bad
// parameters, stages that cannot follow one another.
absl::StatusOr<std::shared_ptr<const CodecPipeline>> MakePipeline(const CodecRegistry& registry,
                                                                  std::span<const PartSpec> parts);

}  // namespace skein

#endif  // SKEIN_CODEC_REGISTRY_H_
