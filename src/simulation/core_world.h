#ifndef SKEIN_SRC_SIMULATION_CORE_WORLD_H_
#define SKEIN_SRC_SIMULATION_CORE_WORLD_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "simulation/frame_sizes.h"
#include "skein/base/simulation.h"
#include "skein/conditions/conditions_model.h"
#include "skein/observe/round_tracker.h"
#include "skein/runtime/control_link.h"
#include "skein/runtime/run_config.h"
#include "skein/strategy/registry.h"
#include "skein/topology/topology.h"

namespace skein {

// What the nodes of a core simulation share, and their way to the control plane. Outlives them.
struct CoreWorld {
  // The control plane, as nodes see it. What is said arrives at once, after all else that happens
  // now.
  class Control {
   public:
    virtual ~Control() = default;
    virtual void Tell(size_t node, NodeMessage message) = 0;
    virtual void Report(size_t node, Event event) = 0;
  };

  Simulation* simulation = nullptr;
  Control* control = nullptr;
  std::shared_ptr<const Topology> topology;
  std::shared_ptr<const ConditionsModel> conditions;
  const StrategyRegistries* strategies = nullptr;
  RunConfig config;
  FrameSizes sizes{0};
  std::vector<TierTraffic> traffic;  // of all nodes of a tier with their children

  Time Now() const { return simulation->Now(); }
};

}  // namespace skein

#endif  // SKEIN_SRC_SIMULATION_CORE_WORLD_H_
