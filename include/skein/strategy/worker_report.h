#ifndef SKEIN_STRATEGY_WORKER_REPORT_H_
#define SKEIN_STRATEGY_WORKER_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "skein/base/ids.h"

namespace skein {

// Metrics that selectors know: the mean loss of the samples, and the mean of its square.
inline constexpr char kLossMetric[] = "loss";
inline constexpr char kLossSquaredMetric[] = "loss_squared";

// No more than so many can travel with a round: they fit into one frame.
inline constexpr size_t kMaxWorkerReports = size_t{1} << 17;

// What is known of a worker from an update of it that counts. Made by its parent, passed up with
// the partial and to the control plane with the round's result, if the selector goes by it.
struct WorkerReport {
  LeafIndex leaf = 0;
  uint64_t num_samples = 0;
  std::optional<double> loss;          // finite; none: the learner does not say
  std::optional<double> loss_squared;  // the same
  double seconds = 0;                  // from its task to its update, at the parent
  friend bool operator==(const WorkerReport&, const WorkerReport&) = default;
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_WORKER_REPORT_H_
