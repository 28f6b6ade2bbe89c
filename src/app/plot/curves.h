#ifndef SKEIN_SRC_APP_PLOT_CURVES_H_
#define SKEIN_SRC_APP_PLOT_CURVES_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "app/plot/evaluations.h"

namespace skein::plot {

// What a curve is drawn over.
enum class Over { kTime, kBytes, kBytesAtRoot, kUpdates, kRounds };

// The evaluations of a run, and what the legend calls it.
struct EvaluatedRun {
  std::string name;
  std::vector<Evaluation> evaluations;
};

// A drawing with a curve of `metric` for each run. InvalidArgument, naming the run, if one has no
// evaluation, or none with this metric; InvalidArgument if there are too many to tell apart.
absl::StatusOr<std::string> DrawCurves(const std::vector<EvaluatedRun>& runs, Over over,
                                       const std::string& metric);

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_CURVES_H_
