#ifndef EXTENDING_SCALED_SIGN_H_
#define EXTENDING_SCALED_SIGN_H_

#include <skein/codec/registry.h>

// Adds the codec `scaled-sign`: a bit for each value. AlreadyExists if the name is taken.
absl::Status RegisterScaledSign(skein::CodecRegistry& registry);

#endif  // EXTENDING_SCALED_SIGN_H_
