#ifndef SKEIN_BUILTINS_CODECS_H_
#define SKEIN_BUILTINS_CODECS_H_

#include "skein/codec/registry.h"

namespace skein {

// Registers the codecs that ship: `delta`, `topk`, `randomk`, `fp32`, `fp16`, `bf16`, `int8`,
// `int4`, `zstd`. Aborts if a name is taken already.
void RegisterBuiltinCodecs(CodecRegistry& registry);

}  // namespace skein

#endif  // SKEIN_BUILTINS_CODECS_H_
