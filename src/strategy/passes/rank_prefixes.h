#ifndef SKEIN_SRC_STRATEGY_PASSES_RANK_PREFIXES_H_
#define SKEIN_SRC_STRATEGY_PASSES_RANK_PREFIXES_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <absl/status/status.h>

#include "strategy/held/value_order.h"

namespace skein {

// Values as unsigned numbers in the same order.
inline uint32_t KeyOf(int32_t float_bits) {
  return static_cast<uint32_t>(InOrder(float_bits)) ^ 0x80000000u;
}
inline uint64_t KeyOf(int64_t integer) {
  return static_cast<uint64_t>(integer) ^ 0x8000000000000000u;
}
// And back.
inline float FloatOfKey(uint32_t key) {
  return std::bit_cast<float>(InOrder(static_cast<int32_t>(key ^ 0x80000000u)));
}
inline int64_t IntegerOfKey(uint64_t key) {
  return static_cast<int64_t>(key ^ 0x8000000000000000u);
}

// Digits of one or two bits one after another, the lowest bit of each byte first.
class DigitWriter {
 public:
  void Put(uint64_t digit, int bits) {
    word_ |= digit << filled_;
    filled_ += bits;
    if (filled_ < 64) return;
    Flush(8);
    filled_ -= 64;
    word_ = filled_ > 0 ? digit >> (bits - filled_) : 0;
  }
  std::vector<uint8_t> Take() {
    Flush((filled_ + 7) / 8);
    return std::move(bytes_);
  }

 private:
  void Flush(int bytes) {
    for (int b = 0; b < bytes; ++b) bytes_.push_back(static_cast<uint8_t>(word_ >> 8 * b));
  }
  std::vector<uint8_t> bytes_;
  uint64_t word_ = 0;
  int filled_ = 0;
};

// What is known of the values at the ranks that are sought, for each element: how their keys begin.
// With each step it is one bit more of a float and two of an integer, until all are known.
class RankPrefixes {
 public:
  static constexpr int kSteps = 32;

  // `searches` is 1 or 2.
  RankPrefixes(uint64_t floats, uint64_t integers, int searches);

  // The next digits: for each search, those of the floats and then those of the integers.
  // InvalidArgument if they are not as many, or all are known.
  absl::Status Extend(std::span<const uint8_t> digits);

  int steps() const { return steps_; }
  bool complete() const { return steps_ == kSteps; }
  int searches() const { return searches_; }
  std::span<const uint32_t> floats(int search) const { return floats_[search]; }
  std::span<const uint64_t> integers(int search) const { return integers_[search]; }

 private:
  const int searches_;
  int steps_ = 0;
  std::vector<uint32_t> floats_[2];
  std::vector<uint64_t> integers_[2];
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_PASSES_RANK_PREFIXES_H_
