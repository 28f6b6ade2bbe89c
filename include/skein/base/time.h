#ifndef SKEIN_BASE_TIME_H_
#define SKEIN_BASE_TIME_H_

#include <chrono>

namespace skein {

// A length of time. Nanoseconds in 64 bits: about 292 years.
using Duration = std::chrono::nanoseconds;

// A point in time, as the time since the epoch of the clock that gave it. Clocks are monotonic and
// their epochs are arbitrary, so times of two clocks must not be compared.
using Time = std::chrono::nanoseconds;

inline constexpr Time kNever = Time::max();

inline double ToSeconds(Duration d) { return std::chrono::duration<double>(d).count(); }
inline Duration FromSeconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

}  // namespace skein

#endif  // SKEIN_BASE_TIME_H_
