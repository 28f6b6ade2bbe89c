#include "federation/embedded_run.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "federation/node_services.h"
#include "federation/torch_threads.h"
#include "skein/base/status.h"

namespace skein {
namespace {

int Cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

// For a node to end by itself once the control plane is done with it, and again when it is killed.
constexpr Duration kNodeGrace = std::chrono::seconds(5);

}  // namespace

// Nodes that have not ended yet.
class EmbeddedRun::Countdown {
 public:
  explicit Countdown(size_t count) : count_(count) {}

  void Down() {
    std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_all();
  }
  bool Wait(Duration timeout) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, timeout, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  size_t count_;
};

EmbeddedRun::EmbeddedRun(std::shared_ptr<const Registries> registries, int threads)
    : registries_(std::move(registries)),
      pool_(Cores()),
      trainers_(std::make_shared<TrainingPool>(threads > 0 ? threads : Cores(), UseOneTorchThread)),
      transport_(MakeInprocTransport()) {}

EmbeddedRun::~EmbeddedRun() { Finish(); }

absl::StatusOr<std::unique_ptr<EmbeddedRun>> EmbeddedRun::Create(
    EmbeddedRunOptions options, std::shared_ptr<const Registries> registries) {
  std::unique_ptr<EmbeddedRun> run(new EmbeddedRun(std::move(registries), options.threads));
  run->topology_ = options.spec.topology;
  SKEIN_ASSIGN_OR_RETURN(
      run->host_, RunHost::Create({std::move(options.spec), std::move(options.directory), "", false,
                                   std::move(options.events)},
                                  run->pool_, *run->registries_));
  run->control_ = run->host_->server().InProcess();
  return run;
}

void EmbeddedRun::StartNodes(const Topology& topology) {
  running_ = std::make_shared<Countdown>(topology.nodes().size());
  const NodeMemory memory;
  for (const TopologyNode& node : topology.nodes()) {
    NodeOptions options;
    options.id = node.id;
    options.role = node.role;
    options.incarnation = RandomIncarnation();
    nodes_.push_back(MakeNode(
        MakeNodeServices(registries_, pool_.NewExecutor(), transport_, control_, trainers_, memory),
        std::move(options)));
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i]->Start([running = running_, id = topology.node(i).id](const absl::Status& status) {
      if (!status.ok()) spdlog::debug("node {} ended: {}", id, Message(status));
      running->Down();
    });
  }
}

RunResult EmbeddedRun::Run() {
  host_->Start();
  StartNodes(topology_);
  RunResult result = host_->Wait();
  Finish();
  return result;
}

void EmbeddedRun::Finish() {
  if (running_ != nullptr && !running_->Wait(kNodeGrace)) {
    for (const std::shared_ptr<Node>& node : nodes_) node->Kill();
    running_->Wait(kNodeGrace);
  }
  running_ = nullptr;
  if (host_ != nullptr) abandoned_ += trainers_->Shutdown(host_->config().limits.cancel_grace);
  nodes_.clear();
  control_ = nullptr;
  // The host stays until the destructor: Stop may still be called.
  pool_.Shutdown();
}

}  // namespace skein
