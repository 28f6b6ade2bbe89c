#ifndef SKEIN_SRC_CODEC_TOPK_TOPK_H_
#define SKEIN_SRC_CODEC_TOPK_TOPK_H_

#include <cstdint>
#include <span>
#include <vector>

#include "skein/codec/registry.h"

namespace skein {

// How many of n elements a ratio keeps: ceil(ratio n), at least one, and not one more because the
// product was rounded up.
uint64_t KeptOf(double ratio, uint64_t n);

// The positions of the k values of greatest magnitude, ascending; of equal ones the first. Zeros
// are not among them. By counting bits, in time that grows with the number of values alone.
std::vector<uint32_t> LargestOf(std::span<const float> values, uint64_t k);

// Adds `topk`: each tensor's largest elements. {ratio, error_feedback: true}. AlreadyExists if the
// name is taken.
absl::Status RegisterTopK(CodecRegistry& registry);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_TOPK_TOPK_H_
