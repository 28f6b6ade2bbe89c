#include "strategy/reported.h"

#include <cmath>

#include "skein/base/value.h"

namespace skein {

absl::StatusOr<double> Reported(const UpdateHeader& header, const std::string& metric,
                                const std::string& fold, double min, double max) {
  auto it = header.metrics.find(metric);
  if (it == header.metrics.end()) {
    return absl::InvalidArgumentError("fold '" + fold + "' needs the metric '" + metric +
                                      "', which did not come with it; a learner reports it, and "
                                      "'skein aggregate' has --input-meta " +
                                      metric + "=...");
  }
  if (it->second >= min && it->second <= max) return it->second;  // false for NaN
  const std::string value = std::isfinite(it->second) ? ToJson(Value(it->second)) : "NaN or Inf";
  return absl::InvalidArgumentError("its metric '" + metric + "' is " + value + ", fold '" + fold +
                                    "' takes " + ToJson(Value(min)) + " to " + ToJson(Value(max)));
}

}  // namespace skein
