#include "strategy/reported.h"

#include "skein/base/value.h"

namespace skein {

absl::StatusOr<double> Reported(const UpdateHeader& header, const std::string& metric,
                                const std::string& fold, double min, double max) {
  auto it = header.metrics.find(metric);
  if (it == header.metrics.end()) {
    return absl::InvalidArgumentError("fold '" + fold + "' needs the metric '" + metric +
                                      "' and its learner does not report it");
  }
  if (it->second >= min && it->second <= max) return it->second;  // false for NaN
  return absl::InvalidArgumentError("its metric '" + metric + "' is " + ToJson(Value(it->second)) +
                                    ", fold '" + fold + "' takes " + ToJson(Value(min)) + " to " +
                                    ToJson(Value(max)));
}

}  // namespace skein
