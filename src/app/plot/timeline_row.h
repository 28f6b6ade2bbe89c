#ifndef SKEIN_SRC_APP_PLOT_TIMELINE_ROW_H_
#define SKEIN_SRC_APP_PLOT_TIMELINE_ROW_H_

#include <functional>

#include "app/plot/activity.h"
#include "app/plot/svg.h"

namespace skein::plot {

// Draws a node's bar until `end_s`: its tasks, what became of them, and when it was away. `at` maps
// seconds to positions.
void DrawRow(const NodeActivity& node, double end_s, const std::function<double(double)>& at,
             double y, double height, Svg& svg);

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_TIMELINE_ROW_H_
