#ifndef SKEIN_SRC_TOPOLOGY_BALANCED_WIDTHS_H_
#define SKEIN_SRC_TOPOLOGY_BALANCED_WIDTHS_H_

#include <cstddef>
#include <vector>

namespace skein {

// Nodes of each tier below one node that has all `leaves` below it, from the leaves up: as few
// tiers as `max_children` (2 or more) of any node allow.
inline std::vector<size_t> BalancedWidths(size_t leaves, size_t max_children) {
  std::vector<size_t> widths = {leaves};
  while (widths.back() > max_children) {
    widths.push_back((widths.back() + max_children - 1) / max_children);
  }
  return widths;
}

// The parent, of `parents`, of child i of `children`: each has the same number, or one more.
inline size_t BalancedParent(size_t i, size_t children, size_t parents) {
  return i * parents / children;
}

}  // namespace skein

#endif  // SKEIN_SRC_TOPOLOGY_BALANCED_WIDTHS_H_
