#include "skein/base/fixed128.h"

#include <cmath>

namespace skein {

Fixed128 Fixed128::FromDouble(double value) {
  Fixed128 result;
  if (std::isnan(value)) return result;
  const double scaled = std::ldexp(value, kFractionBits);
  constexpr double kLimit = 0x1p127;
  if (scaled >= kLimit) return FromParts(INT64_MAX, UINT64_MAX);
  if (scaled < -kLimit) return FromParts(INT64_MIN, 0);
  // nearbyint rounds half to even in the default mode; a double beyond 2^53 is integral already.
  result.raw_ = static_cast<__int128>(std::nearbyint(scaled));
  return result;
}

double Fixed128::ToDouble() const { return std::ldexp(static_cast<double>(raw_), -kFractionBits); }

}  // namespace skein
