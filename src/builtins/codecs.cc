#include "skein/builtins/codecs.h"

#include <cstdio>
#include <cstdlib>

#include "codec/fp32/fp32.h"
#include "codec/half/half.h"
#include "codec/qsgd/qsgd.h"
#include "codec/randomk/randomk.h"
#include "codec/topk/topk.h"
#include "codec/zstd/zstd_codec.h"
#include "skein/base/status.h"

namespace skein {
namespace {

absl::Status RegisterDelta(CodecRegistry& registry) {
  return registry.Register({.name = "delta",
                            .summary = "models as differences to one that the receiver has",
                            .source = "Skein"},
                           [](const Params&) -> absl::StatusOr<std::shared_ptr<const Codec>> {
                             return std::make_shared<DeltaCodec>();
                           });
}

}  // namespace

void RegisterBuiltinCodecs(CodecRegistry& registry) {
  for (auto* register_codec : {RegisterDelta, RegisterTopK, RegisterRandomK, RegisterFp32,
                               RegisterHalves, RegisterQsgd, RegisterZstd}) {
    const absl::Status status = register_codec(registry);
    if (status.ok()) continue;
    std::fprintf(stderr, "skein: %s\n", Message(status).c_str());
    std::abort();
  }
}

}  // namespace skein
