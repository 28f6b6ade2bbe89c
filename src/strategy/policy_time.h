#ifndef SKEIN_SRC_STRATEGY_POLICY_TIME_H_
#define SKEIN_SRC_STRATEGY_POLICY_TIME_H_

#include <algorithm>
#include <string>

#include "skein/base/time.h"
#include "skein/base/value.h"

namespace skein {

// The limit for a node `levels` tiers further up: its children need time to close and to send.
inline Duration RelaxLimit(Duration limit, int levels) {
  return limit + levels * std::max<Duration>(std::chrono::seconds(1), limit / 10);
}

inline std::string SecondsText(Duration d) { return ToJson(Value(ToSeconds(d))) + " s"; }

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_POLICY_TIME_H_
