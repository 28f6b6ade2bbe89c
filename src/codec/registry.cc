#include "skein/codec/registry.h"

#include "skein/base/status.h"

namespace skein {

absl::StatusOr<std::shared_ptr<const CodecPipeline>> MakePipeline(const CodecRegistry& registry,
                                                                  std::span<const PartSpec> parts) {
  std::vector<std::shared_ptr<const Codec>> stages;
  for (const PartSpec& part : parts) {
    SKEIN_ASSIGN_OR_RETURN(std::shared_ptr<const Codec> codec, registry.Create(part));
    stages.push_back(std::move(codec));
  }
  return CodecPipeline::Create(std::move(stages));
}

}  // namespace skein
