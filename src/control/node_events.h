#ifndef SKEIN_SRC_CONTROL_NODE_EVENTS_H_
#define SKEIN_SRC_CONTROL_NODE_EVENTS_H_

#include <cstddef>

#include <absl/status/status.h>

#include "skein/observe/event.h"
#include "skein/topology/topology.h"

namespace skein {

// Whether an event that a node reports may pass on: InvalidArgument if its type is not one of those
// that nodes decide (updates and partials accepted, rejected, left out), if it is about a node
// outside the reporter's subtree, or if its fields are larger than any honest ones.
absl::Status CheckNodeEvent(const Event& event, size_t reporter, const Topology& topology);

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_NODE_EVENTS_H_
