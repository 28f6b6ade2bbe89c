#ifndef SKEIN_SRC_APP_PLOT_LABEL_HISTOGRAM_H_
#define SKEIN_SRC_APP_PLOT_LABEL_HISTOGRAM_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "skein/data/partition.h"
#include "skein/topology/topology.h"

namespace skein::plot {

// The labels of a node's samples: a worker's own, or those of all workers below an inner node.
struct LabelCounts {
  NodeId id;
  NodeRole role = NodeRole::kWorker;
  int tier = 0;
  size_t samples = 0;
  std::map<int64_t, size_t> labels;  // those that it has
};

// Of every node, each inner one before those below it, from left to right. `parts` are those of the
// tree's workers, and their samples are in `labels`.
std::vector<LabelCounts> CountLabels(const Topology& topology, const Partition& parts,
                                     const std::vector<int64_t>& labels);

// A bar for each node, cut in proportion to its labels. Of many nodes the inner ones alone; of many
// labels the least are one color.
std::string DrawLabels(const std::vector<LabelCounts>& nodes, const std::string& title);

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_LABEL_HISTOGRAM_H_
