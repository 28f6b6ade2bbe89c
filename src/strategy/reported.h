#ifndef SKEIN_SRC_STRATEGY_REPORTED_H_
#define SKEIN_SRC_STRATEGY_REPORTED_H_

#include <string>

#include <absl/status/statusor.h>

#include "skein/strategy/contribution.h"

namespace skein {

// Metrics of an update that folds go by. Learners report them under these names.
inline constexpr char kStepsMetric[] = "steps";  // of the optimizer; FedNova's 1-norm of a_i
inline constexpr char kInitialLossMetric[] = "initial_loss";  // at the model that was received

// The metric; InvalidArgument, in the name of the fold, if the update has none or it is not from
// `min` to `max`.
absl::StatusOr<double> Reported(const UpdateHeader& header, const std::string& metric,
                                const std::string& fold, double min, double max);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_REPORTED_H_
