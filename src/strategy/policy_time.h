#ifndef SKEIN_SRC_STRATEGY_POLICY_TIME_H_
#define SKEIN_SRC_STRATEGY_POLICY_TIME_H_

#include <algorithm>
#include <string>

#include "skein/base/time.h"
#include "skein/base/value.h"

namespace skein {

// Beyond this nobody waits, and sums of times do not wrap.
inline constexpr Duration kLongest = std::chrono::hours(24) * 36500;

// The limit for a parent whose children take up to `limit`, `times` times: they need time to close
// and to send, too.
inline Duration RelaxLimit(Duration limit, int times) {
  const Duration below = limit > kLongest / times ? kLongest : limit * times;
  return below + std::max<Duration>(std::chrono::seconds(1), below / 10);
}

inline std::string SecondsText(Duration d) { return ToJson(Value(ToSeconds(d))) + " s"; }

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_POLICY_TIME_H_
