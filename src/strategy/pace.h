#ifndef SKEIN_SRC_STRATEGY_PACE_H_
#define SKEIN_SRC_STRATEGY_PACE_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "skein/base/time.h"

namespace skein {

// A measured time, smoothed: `momentum` is the share of the newest measurement. Zero: not measured.
inline Duration Smoothed(Duration known, Duration measured, double momentum) {
  measured = std::max(measured, Duration(1));
  if (known == Duration(0)) return measured;
  const auto step = static_cast<double>((measured - known).count()) * momentum;
  return std::max(Duration(1), known + Duration(std::llround(step)));
}

// `factor` times a time, at most 30 years, so that it can be added to a time.
inline Duration Times(Duration time, double factor) {
  constexpr double kMost = 1e18;
  return Duration(std::llround(std::min(static_cast<double>(time.count()) * factor, kMost)));
}

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_PACE_H_
