#ifndef SKEIN_SRC_APP_PLOT_TREE_DRAWING_H_
#define SKEIN_SRC_APP_PLOT_TREE_DRAWING_H_

#include <string>

#include "skein/topology/topology.h"

namespace skein::plot {

// The tree as SVG: a row for each tier, workers from left to right, inner nodes above the middle of
// theirs. Every node has its id and attributes as a tooltip; workers have their ids written where
// there is room.
std::string DrawTree(const Topology& topology, const std::string& title);

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_TREE_DRAWING_H_
