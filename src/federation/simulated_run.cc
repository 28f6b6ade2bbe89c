#include "federation/simulated_run.h"

#include <utility>
#include <vector>

#include "federation/node_services.h"
#include "federation/torch_threads.h"
#include "skein/base/status.h"
#include "skein/control/direct_control.h"
#include "skein/observe/fan_out.h"

namespace skein {
namespace {

// For nodes to end once the run has, and for a run to end once it is told to.
constexpr Duration kAftermath = std::chrono::minutes(10);

// Time-outs that tell a slow machine from a dead one: here a node that is away says so.
RuntimeLimits VirtualLimits(RuntimeLimits limits) {
  limits.heartbeat_timeout = std::chrono::hours(1);
  limits.heartbeat_interval = std::chrono::minutes(10);
  return limits;
}

}  // namespace

SimulatedRun::SimulatedRun(std::shared_ptr<const Registries> registries)
    : registries_(std::move(registries)),
      transport_(MakeInprocTransport()),
      trainers_(simulation_.NewTaskRunner()) {}

SimulatedRun::~SimulatedRun() {
  if (fleet_ == nullptr) return;
  fleet_->Kill();
  simulation_.RunFor(kAftermath);  // whatever is left lets go of its owners
  fleet_->Clear();
}

absl::StatusOr<std::unique_ptr<SimulatedRun>> SimulatedRun::Create(
    SimulatedRunOptions options, std::shared_ptr<const Registries> registries) {
  const RunConfig& config = options.spec.config;
  const Topology& topology = options.spec.topology;
  if (config.conditions.compute.task_s == 0 && config.conditions.compute.trace.empty()) {
    return absl::InvalidArgumentError(
        "conditions.compute.task_s: a simulation must know how long a task takes; give it, as in "
        "--set conditions.compute.task_s=2");
  }
  const RuntimeLimits limits = VirtualLimits(config.limits);
  const NodeMemory memory;
  SKEIN_ASSIGN_OR_RETURN(auto conditions,
                         memory.conditions->Get(config.conditions, config.seed,
                                                topology.num_workers(), topology.num_tiers()));
  std::unique_ptr<SimulatedRun> run(new SimulatedRun(std::move(registries)));
  run->fleet_ = std::make_shared<NodeFleet>(NodeFleet::Options{
      .topology = topology,
      .conditions = std::move(conditions),
      .executor = run->simulation_.NewExecutor(),
      .reports_memory = false,
      .services = [run = run.get(), memory] {
        return MakeNodeServices(run->registries_, run->simulation_.NewExecutor(), run->transport_,
                                run->control_, run->trainers_, memory);
      }});
  const std::vector<std::shared_ptr<EventSink>> sinks = {std::move(options.events), run->fleet_};
  std::string run_id = config.name + "-simulated";  // a function of the spec, as all the rest
  SKEIN_ASSIGN_OR_RETURN(run->host_,
                         RunHost::Create({.spec = std::move(options.spec),
                                          .directory = std::move(options.directory),
                                          .events = std::make_shared<FanOutSink>(sinks),
                                          .serve = false,
                                          .run_id = std::move(run_id),
                                          .detail = options.detail,
                                          .limits = limits},
                                         run->simulation_.NewExecutor(), *run->registries_));
  run->control_ = std::make_shared<DirectControl>(run->host_->plane());
  return run;
}

RunResult SimulatedRun::Run() {
  UseOneTorchThread();
  host_->Start();
  fleet_->Start();
  run_.Run(
      simulation_, [this] { return host_->ended(); },
      [this](const std::string& why) { host_->Stop(why); }, kAftermath);
  return host_->Wait();
}

}  // namespace skein
