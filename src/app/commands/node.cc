#include <unistd.h>

#include <future>
#include <utility>

#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/signals.h"
#include "federation/node_services.h"
#include "federation/torch_threads.h"
#include "skein/base/status.h"
#include "skein/base/thread_pool.h"
#include "skein/control/control_plane.h"
#include "skein/runtime/training_pool.h"
#include "transport/grpc/address.h"

namespace skein {
namespace {

// For a learner to come back when the node is done.
constexpr Duration kLearnerGrace = std::chrono::seconds(5);

// One node in this process: `worker` and `aggregator` differ in what they may be.
class NodeCommand : public Command {
 public:
  explicit NodeCommand(NodeRole role) : role_(role) {}

  void Define(CLI::App& root) override {
    const bool worker = role_ == NodeRole::kWorker;
    command_ = worker ? root.add_subcommand("worker", "Run a worker of a federation")
                      : root.add_subcommand("aggregator", "Run an aggregator or the coordinator");
    command_->add_option("--control", control_, "Address of the control plane")
        ->required()
        ->type_name("HOST:PORT");
    command_->add_option("--id", id_, "Which node of the topology to be")
        ->required()
        ->type_name("ID");
    if (!worker) {
      command_->add_option("--role", role_name_, "What the topology has it be")
          ->check(CLI::IsMember({"aggregator", "coordinator"}))
          ->capture_default_str();
      command_->add_option("--listen", listen_, "Address to listen at; port 0: any free one")
          ->type_name("HOST:PORT")
          ->capture_default_str();
      command_->add_flag("--insecure", insecure_, "Allow listening beyond loopback, without TLS");
    }
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    for (const std::string& address : {control_, listen_}) {
      const absl::Status status = ParseHostPort(address).status();
      if (!status.ok()) return Complain(context, status, kBadInput);
    }
    StopSignals signals;
    ThreadPool pool(2);
    auto trainers = std::make_shared<TrainingPool>(1, UseOneTorchThread);
    NodeOptions options;
    options.id = id_;
    options.role = role_name_ == "coordinator" ? NodeRole::kCoordinator : role_;
    if (role_ != NodeRole::kWorker) options.listen_address = listen_;
    options.incarnation = RandomIncarnation();
    options.pid = getpid();
    auto node = MakeNode(
        MakeNodeServices(context.registries, pool.NewExecutor(), MakeGrpcTransport({insecure_}),
                         MakeGrpcControlDialer(control_), trainers),
        std::move(options));
    auto ended = std::make_shared<std::promise<absl::Status>>();
    spdlog::info("node {} (pid {}) starts", id_, getpid());
    node->Start([ended](absl::Status status) { ended->set_value(std::move(status)); });
    signals.OnStop([&node] { node->Kill(); });
    const absl::Status status = ended->get_future().get();
    signals.OnStop(nullptr);
    context.leave_at_once = trainers->Shutdown(kLearnerGrace) > 0;
    pool.Shutdown();
    node = nullptr;
    if (!status.ok()) return Complain(context, Annotate(status, "node " + id_), kRunFailed);
    spdlog::info("node {} has ended", id_);
    return kSuccess;
  }

 private:
  const NodeRole role_;
  CLI::App* command_ = nullptr;
  std::string control_;
  std::string id_;
  std::string role_name_ = "aggregator";
  std::string listen_ = "127.0.0.1:0";
  bool insecure_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeAggregatorCommand() {
  return std::make_unique<NodeCommand>(NodeRole::kAggregator);
}
std::unique_ptr<Command> MakeWorkerCommand() {
  return std::make_unique<NodeCommand>(NodeRole::kWorker);
}

}  // namespace skein
