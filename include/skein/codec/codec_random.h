#ifndef SKEIN_CODEC_CODEC_RANDOM_H_
#define SKEIN_CODEC_CODEC_RANDOM_H_

#include <cstdint>

namespace skein {

// Random bits by position: a counter in place of a state, so that what is drawn for an element does
// not depend on which elements were worked on before it. It is SplitMix64 (Steele, Lea, Flood 2014)
// entered anywhere. Equal keys give equal bits on every machine. Not for cryptography.
class CodecRandom {
 public:
  // `key`: of DeriveSeed (skein/base/random.h).
  explicit CodecRandom(uint64_t key) : key_(key) {}

  // 64 bits for a position.
  uint64_t At(uint64_t position) const {
    uint64_t z = key_ + (position + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // 32 bits for a position, two of which share a word.
  uint32_t Half(uint64_t position) const {
    return static_cast<uint32_t>(At(position / 2) >> (position % 2 * 32));
  }

 private:
  uint64_t key_;
};

}  // namespace skein

#endif  // SKEIN_CODEC_CODEC_RANDOM_H_
