#ifndef SKEIN_SRC_APP_PLOT_TIMELINE_H_
#define SKEIN_SRC_APP_PLOT_TIMELINE_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "app/plot/activity.h"

namespace skein::plot {

// What the nodes of a run did, and what the run is called.
struct ActiveRun {
  std::string name;
  RunActivity activity;
};

// A drawing (Gantt chart) with a row for each node, the runs below one another over the same time.
// InvalidArgument if there are more nodes than can be told apart.
absl::StatusOr<std::string> DrawTimeline(const std::vector<ActiveRun>& runs);

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_TIMELINE_H_
