#ifndef SKEIN_BASE_FIXED128_H_
#define SKEIN_BASE_FIXED128_H_

#include <compare>
#include <cstdint>

namespace skein {

// A signed 128-bit fixed-point number with 40 fractional bits. Sums of them do not depend on the
// order of the addends, so weights and metrics that pass through a tree come out the same whatever
// its shape. Range about +-3e26; integers below 2^87 are exact.
class Fixed128 {
 public:
  static constexpr int kFractionBits = 40;

  constexpr Fixed128() = default;
  static constexpr Fixed128 FromInt(int64_t value) {
    Fixed128 result;
    result.raw_ = static_cast<__int128>(value) << kFractionBits;
    return result;
  }
  // Rounds half to even; saturates at the range's ends; NaN becomes 0.
  static Fixed128 FromDouble(double value);
  static constexpr Fixed128 FromParts(int64_t high, uint64_t low) {
    Fixed128 result;
    result.raw_ = (static_cast<__int128>(high) << 64) | low;
    return result;
  }

  double ToDouble() const;
  constexpr int64_t high() const { return static_cast<int64_t>(raw_ >> 64); }
  constexpr uint64_t low() const { return static_cast<uint64_t>(raw_); }

  constexpr Fixed128& operator+=(const Fixed128& other) {
    raw_ = static_cast<__int128>(static_cast<unsigned __int128>(raw_) +
                                 static_cast<unsigned __int128>(other.raw_));
    return *this;
  }
  friend constexpr bool operator==(const Fixed128&, const Fixed128&) = default;
  friend constexpr bool operator<(const Fixed128& a, const Fixed128& b) { return a.raw_ < b.raw_; }

 private:
  __int128 raw_ = 0;
};

}  // namespace skein

#endif  // SKEIN_BASE_FIXED128_H_
