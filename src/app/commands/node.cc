#include <filesystem>
#include <future>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/open_files.h"
#include "app/signals.h"
#include "federation/node_host.h"
#include "federation/node_services.h"
#include "federation/torch_threads.h"
#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/base/thread_pool.h"
#include "skein/control/control_plane.h"
#include "skein/runtime/training_pool.h"
#include "transport/grpc/address.h"

namespace skein {
namespace {

// For a learner to come back when the node is done.
constexpr Duration kLearnerGrace = std::chrono::seconds(5);

// Nodes hosted by this process: `worker` and `aggregator` differ in what they may be. Workers may
// be many, each with its own link to its parent; they share the threads and the connection to the
// control plane.
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
    command_->add_flag("--no-wait", no_wait_, "Fail if the control plane is not there yet");
    CLI::Option* id = command_->add_option("--id", ids_, "Which node of the topology to be")
                          ->required()
                          ->type_name("ID")
                          ->allow_extra_args(false);
    if (worker) {
      id->description("Which node of the topology to be; may be repeated to host several workers");
      command_->add_option("--threads", threads_, "Learners that train at once in this process")
          ->type_name("N")
          ->check(CLI::Range(1, 4096))
          ->capture_default_str();
      command_
          ->add_option("--state", state_,
                       "Keep what terms of a strategy need from round to round in DIR/<run id>/ "
                       "(default: what the spec says)")
          ->type_name("DIR");
    } else {
      id->expected(1);
      command_
          ->add_option("--role", role_name_,
                       "What it is there for; an aggregator may be the coordinator of a run, too")
          ->check(CLI::IsMember({"aggregator", "coordinator"}))
          ->capture_default_str();
      command_->add_option("--listen", listen_, "Address to listen at; port 0: any free one")
          ->type_name("HOST:PORT")
          ->capture_default_str();
      command_
          ->add_option("--out", out_,
                       "As the coordinator, write models to DIR/<run id>/ (default: where the "
                       "control plane has its records)")
          ->type_name("DIR");
      command_->add_flag("--insecure", insecure_, "Allow listening beyond loopback, without TLS");
    }
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    for (const std::string& id : ids_) {
      const absl::Status name = CheckName(id);
      if (name.ok()) continue;
      return Complain(context, "--id: " + QuoteName(id) + " " + Message(name), kBadInput);
    }
    for (const std::string& address : {control_, listen_}) {
      const absl::Status status = ParseHostPort(address).status();
      if (!status.ok()) return Complain(context, status, kBadInput);
    }
    if (const absl::Status status = CheckListen(); !status.ok()) {
      return Complain(context, Annotate(status, "node " + ids_.front()), kRunFailed);
    }
    const absl::Status files =
        AllowOpenFiles(FilesFor(ids_.size()),
                       ids_.size() == 1 ? "a node" : std::to_string(ids_.size()) + " workers");
    if (!files.ok()) return Complain(context, files, kBadInput);
    std::error_code error;
    if (!out_.empty()) std::filesystem::create_directories(out_, error);
    if (error) {
      return Complain(context, "--out: cannot create " + out_ + ": " + error.message(), kBadInput);
    }
    StopSignals signals;
    ThreadPool pool(2);
    auto trainers = std::make_shared<TrainingPool>(threads_, UseOneTorchThread);
    const absl::Status status = Host(context, signals, pool, trainers);
    context.leave_at_once = trainers->Shutdown(kLearnerGrace) > 0;
    pool.Shutdown();
    return status.ok() ? kSuccess : Complain(context, status, kRunFailed);
  }

 private:
  // Now, and not when a run wants the node.
  absl::Status CheckListen() const {
    if (role_ == NodeRole::kWorker) return absl::OkStatus();
    SKEIN_ASSIGN_OR_RETURN(const HostPort place, ParseHostPort(listen_));
    return CheckListenAddress(place, insecure_);
  }

  // Until the nodes have ended; the first that failed says why.
  absl::Status Host(CommandContext& context, StopSignals& signals, ThreadPool& pool,
                    const std::shared_ptr<TrainingPool>& trainers) {
    const auto transport = MakeGrpcTransport({insecure_});
    const auto control = MakeGrpcControlDialer(control_);
    NodeHost::Options options;
    options.ids = ids_;
    options.role = role_name_ == "coordinator" ? NodeRole::kCoordinator : role_;
    options.listen_address = listen_;
    options.output_dir = out_;
    options.state_dir = state_;
    options.waits = !no_wait_;
    const auto host = std::make_shared<NodeHost>(
        std::move(options), pool.NewExecutor(), control, [&, memory = NodeMemory()] {
          return MakeNodeServices(context.registries, pool.NewExecutor(), transport, control,
                                  trainers, memory);
        });
    std::promise<absl::Status> ended;
    host->Start([&ended](absl::Status status) { ended.set_value(std::move(status)); });
    signals.OnStop([&host] { host->Stop(); });
    absl::Status status = ended.get_future().get();
    signals.OnStop(nullptr);
    return status;
  }

  const NodeRole role_;
  CLI::App* command_ = nullptr;
  std::string control_;
  std::vector<std::string> ids_;
  int threads_ = 1;
  std::string role_name_ = "aggregator";
  std::string listen_ = "127.0.0.1:0";
  std::string out_;
  std::string state_;
  bool insecure_ = false;
  bool no_wait_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeAggregatorCommand() {
  return std::make_unique<NodeCommand>(NodeRole::kAggregator);
}
std::unique_ptr<Command> MakeWorkerCommand() {
  return std::make_unique<NodeCommand>(NodeRole::kWorker);
}

}  // namespace skein
