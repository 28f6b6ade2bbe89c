#ifndef SKEIN_SRC_CODEC_HALF_HALF_H_
#define SKEIN_SRC_CODEC_HALF_HALF_H_

#include "skein/codec/registry.h"

namespace skein {

// Adds `fp16` and `bf16`: float32 rounded to nearest even, 2 bytes a value. {clamp: false,
// error_feedback: false}. AlreadyExists if a name is taken.
absl::Status RegisterHalves(CodecRegistry& registry);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_HALF_HALF_H_
