#ifndef SKEIN_SRC_FEDERATION_NODE_FLEET_H_
#define SKEIN_SRC_FEDERATION_NODE_FLEET_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "skein/base/executor.h"
#include "skein/conditions/conditions_model.h"
#include "skein/observe/event.h"
#include "skein/runtime/node.h"
#include "skein/topology/topology.h"

namespace skein {

// All nodes of a federation in one process, and the comings and goings of its workers: once the
// first round is open they leave and come back as the conditions say, each time as another life of
// the node. Needs to hear the events of the run. Thread-safe.
class NodeFleet : public EventSink, public std::enable_shared_from_this<NodeFleet> {
 public:
  struct Options {
    Topology topology;
    std::shared_ptr<const ConditionsModel> conditions;
    std::shared_ptr<Executor> executor;  // absences go by its clock
    Incarnation first_life = 1;          // the others count on from here
    bool reports_memory = true;          // see NodeOptions
    // For one node, with an executor of its own.
    std::function<NodeServices()> services;
  };
  explicit NodeFleet(Options options);

  void Start();
  void OnEvent(const Event& event) override;
  // Nobody comes back from now on. Whether all nodes have ended by themselves.
  bool EndWithin(Duration timeout);
  bool ended() const;
  void Kill();
  void Clear();  // lets go of the nodes

 private:
  void StartNode(size_t node);
  void Await(LeafIndex leaf, std::shared_ptr<Absences> absences, Time begin);

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable none_;
  std::vector<std::shared_ptr<Node>> nodes_;  // as in the topology
  size_t running_ = 0;
  Incarnation next_life_;
  bool in_rounds_ = false;
  bool closing_ = false;
};

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_NODE_FLEET_H_
