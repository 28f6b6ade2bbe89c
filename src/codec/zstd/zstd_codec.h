#ifndef SKEIN_SRC_CODEC_ZSTD_ZSTD_CODEC_H_
#define SKEIN_SRC_CODEC_ZSTD_ZSTD_CODEC_H_

#include "skein/codec/registry.h"

namespace skein {

// Adds `zstd`: bytes compressed without loss, as one Zstandard frame (RFC 8878) a tensor that says
// the size of its content. {level: 3}. AlreadyExists if the name is taken.
absl::Status RegisterZstd(CodecRegistry& registry);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_ZSTD_ZSTD_CODEC_H_
