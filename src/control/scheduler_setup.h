#ifndef SKEIN_SRC_CONTROL_SCHEDULER_SETUP_H_
#define SKEIN_SRC_CONTROL_SCHEDULER_SETUP_H_

#include <memory>

#include <absl/status/statusor.h>

#include "skein/control/scheduler_core.h"
#include "skein/strategy/registry.h"

namespace skein {

// What a SchedulerCore has to know of a run, worked out from its configuration: texts for the store
// and the history are left to the caller. InvalidArgument for what no run can be.
absl::StatusOr<SchedulerSetup> MakeSchedulerSetup(RunConfig config,
                                                  std::shared_ptr<const Topology> topology,
                                                  const Selector& selector,
                                                  const StrategyRegistries& strategies);

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_SCHEDULER_SETUP_H_
