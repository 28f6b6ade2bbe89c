#include "federation/embedded_run.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "federation/node_services.h"
#include "federation/torch_threads.h"
#include "skein/base/status.h"
#include "skein/observe/fan_out.h"

namespace skein {
namespace {

int Cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

// For a node to end by itself once the control plane is done with it, and again when it is killed.
constexpr Duration kNodeGrace = std::chrono::seconds(5);

}  // namespace

EmbeddedRun::EmbeddedRun(std::shared_ptr<const Registries> registries, int threads)
    : registries_(std::move(registries)),
      pool_(Cores()),
      trainers_(std::make_shared<TrainingPool>(threads > 0 ? threads : Cores(), UseOneTorchThread)),
      transport_(MakeInprocTransport()) {}

EmbeddedRun::~EmbeddedRun() { Finish(); }

absl::StatusOr<std::unique_ptr<EmbeddedRun>> EmbeddedRun::Create(
    EmbeddedRunOptions options, std::shared_ptr<const Registries> registries) {
  const RunConfig& config = options.spec.config;
  const Topology& topology = options.spec.topology;
  const NodeMemory memory;
  SKEIN_ASSIGN_OR_RETURN(auto conditions,
                         memory.conditions->Get(config.conditions, config.seed,
                                                topology.num_workers(), topology.num_tiers()));
  std::unique_ptr<EmbeddedRun> run(new EmbeddedRun(std::move(registries), options.threads));
  run->fleet_ = std::make_shared<NodeFleet>(NodeFleet::Options{
      .topology = topology,
      .conditions = std::move(conditions),
      .executor = run->pool_.NewExecutor(),
      .first_life = RandomIncarnation(),
      .services = [run = run.get(), memory] {
        return MakeNodeServices(run->registries_, run->pool_.NewExecutor(), run->transport_,
                                run->control_, run->trainers_, memory);
      }});
  const std::vector<std::shared_ptr<EventSink>> sinks = {std::move(options.events), run->fleet_};
  SKEIN_ASSIGN_OR_RETURN(run->host_, RunHost::Create({.spec = std::move(options.spec),
                                                      .directory = std::move(options.directory),
                                                      .events = std::make_shared<FanOutSink>(sinks),
                                                      .detail = options.detail,
                                                      .keeps_for_workers = true},
                                                     run->pool_.NewExecutor(), *run->registries_));
  run->control_ = run->host_->server().InProcess();
  return run;
}

RunResult EmbeddedRun::Run() {
  host_->Start();
  fleet_->Start();
  RunResult result = host_->Wait();
  Finish();
  return result;
}

void EmbeddedRun::Finish() {
  if (!fleet_->EndWithin(kNodeGrace)) {
    fleet_->Kill();
    fleet_->EndWithin(kNodeGrace);
  }
  if (host_ != nullptr) abandoned_ += trainers_->Shutdown(host_->config().limits.cancel_grace);
  fleet_->Clear();
  control_ = nullptr;
  // The host stays until the destructor: Stop may still be called.
  pool_.Shutdown();
}

}  // namespace skein
