#ifndef SKEIN_SRC_CONTROL_SCHEDULER_SETUP_H_
#define SKEIN_SRC_CONTROL_SCHEDULER_SETUP_H_

#include <memory>

#include <absl/status/statusor.h>

#include "skein/control/scheduler_core.h"
#include "skein/control/steering.h"
#include "skein/strategy/registry.h"

namespace skein {

// What decides about a run, apart from its nodes.
struct SchedulerOptions {
  RunConfig config;
  std::shared_ptr<const Topology> topology;
  StopRules stop;
  std::shared_ptr<Steering> steering;  // may be null
};

// What a SchedulerCore has to know of a run, worked out from these: texts for the store and the
// history are left to the caller. `strategies` outlive it. InvalidArgument for what no run can be.
absl::StatusOr<SchedulerSetup> MakeSchedulerSetup(SchedulerOptions options,
                                                  const StrategyRegistries* strategies);

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_SCHEDULER_SETUP_H_
