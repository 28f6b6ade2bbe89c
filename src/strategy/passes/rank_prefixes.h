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

// Bits one after another, the lowest of each byte first.
class BitWriter {
 public:
  void Put(unsigned value, int bits) {
    for (int b = 0; b < bits; ++b, ++size_) {
      if (size_ % 8 == 0) bytes_.push_back(0);
      bytes_.back() |= static_cast<uint8_t>((value >> b & 1) << size_ % 8);
    }
  }
  std::vector<uint8_t> Take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
  size_t size_ = 0;
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
