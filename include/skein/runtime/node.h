#ifndef SKEIN_RUNTIME_NODE_H_
#define SKEIN_RUNTIME_NODE_H_

#include <functional>
#include <memory>
#include <string>

#include <absl/status/status.h>

#include "skein/base/executor.h"
#include "skein/conditions/conditions_model.h"
#include "skein/runtime/control_link.h"
#include "skein/runtime/shared_models.h"
#include "skein/runtime/trainer.h"
#include "skein/strategy/registry.h"
#include "skein/tensor/buffer_pool.h"
#include "skein/transport/transport.h"

namespace skein {

// What the nodes of a process have in common; copies share it.
struct NodeMemory {
  std::shared_ptr<BufferPool> buffers = std::make_shared<BufferPool>();
  std::shared_ptr<SharedModels> models = std::make_shared<SharedModels>();
  std::shared_ptr<SharedConditions> conditions = std::make_shared<SharedConditions>();
};

// What a node is given by its surroundings. Everything outlives the node.
struct NodeServices {
  std::shared_ptr<Executor> executor;      // the node's own strand
  std::shared_ptr<Transport> transport;    // data plane
  std::shared_ptr<ControlDialer> control;  // control plane
  std::shared_ptr<TaskRunner> trainers;    // for learners and evaluation
  NodeMemory memory;                       // shared by the nodes of the process
  const StrategyRegistries* strategies = nullptr;
  TrainerFactory trainer_factory;
  // Verifies what the transport cannot: the bound on one update's samples, by learner name.
  std::function<uint64_t(const std::string& learner)> max_samples;
};

struct NodeOptions {
  NodeId id;
  NodeRole role = NodeRole::kWorker;
  std::string run;             // which it joins; empty: the only one of its control plane
  std::string listen_address;  // inner nodes; "127.0.0.1:0" for grpc, "" for inproc
  std::string output_dir;      // of the coordinator, in place of the one in the run's config
  std::string state_dir;       // of a worker, in place of the run's worker_state
  Incarnation incarnation = 0;
  int64_t pid = 0;             // 0: do not report one (embedded)
  bool reports_memory = true;  // of its process; not where all that is reported must repeat
};

// A node of a federation: shell around a pure core, living on one executor. Start it, then it
// registers with the control plane and does as told until the run stops or it fails.
class Node {
 public:
  virtual ~Node() = default;
  // Any thread, once. `on_done` is called on the node's executor when the node has ended: OK after
  // StopMsg with code 0, otherwise why.
  virtual void Start(std::function<void(absl::Status)> on_done) = 0;
  // Any thread: ends abruptly (tests, shutdown). on_done is still called.
  virtual void Kill() = 0;
};

// The node for a role: worker, aggregator or coordinator.
std::shared_ptr<Node> MakeNode(NodeServices services, NodeOptions options);

}  // namespace skein

#endif  // SKEIN_RUNTIME_NODE_H_
