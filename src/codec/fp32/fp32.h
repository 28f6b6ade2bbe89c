#ifndef SKEIN_SRC_CODEC_FP32_FP32_H_
#define SKEIN_SRC_CODEC_FP32_FP32_H_

#include "skein/codec/registry.h"

namespace skein {

// Adds `fp32`: float32 as it is. AlreadyExists if the name is taken.
absl::Status RegisterFp32(CodecRegistry& registry);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_FP32_FP32_H_
