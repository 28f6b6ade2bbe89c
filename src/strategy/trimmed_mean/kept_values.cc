#include "strategy/trimmed_mean/kept_values.h"

#include <algorithm>
#include <cmath>

#include "strategy/held/term_sums.h"

namespace skein {

int KeptScaleBits(float low, float high, uint64_t count) {
  return ScaleBits(std::max(std::abs(low), std::abs(high)), count);
}

double KeptMean(int64_t sum, int scale_bits, uint64_t count, float high) {
  // Of values whose largest is -0, all are.
  if (sum == 0) return std::signbit(high) ? -0.0 : 0.0;
  return std::ldexp(static_cast<double>(sum), -scale_bits) / static_cast<double>(count);
}

int64_t KeptMean(__int128 sum, uint64_t count) {
  const auto divisor = static_cast<__int128>(count);
  __int128 quotient = sum / divisor;
  __int128 rest = sum % divisor;
  if (rest < 0) {
    rest += divisor;
    --quotient;
  }
  if (2 * rest > divisor || (2 * rest == divisor && quotient % 2 != 0)) ++quotient;
  return static_cast<int64_t>(quotient);
}

}  // namespace skein
