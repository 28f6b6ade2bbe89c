#ifndef SKEIN_SRC_CODEC_RANDOMK_RANDOMK_H_
#define SKEIN_SRC_CODEC_RANDOMK_RANDOMK_H_

#include "skein/codec/registry.h"

namespace skein {

// Adds `randomk`: elements of each tensor at random, which the receiver draws too. {ratio,
// error_feedback: false, shared: false}. AlreadyExists if the name is taken.
absl::Status RegisterRandomK(CodecRegistry& registry);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_RANDOMK_RANDOMK_H_
