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
  // Makes the node; `life` is never the same twice.
  using Make = std::function<std::shared_ptr<Node>(const TopologyNode&, Incarnation life)>;
  // `executor`: absences go by its clock.
  NodeFleet(Topology topology, std::shared_ptr<const ConditionsModel> conditions,
            std::shared_ptr<Executor> executor, Incarnation first_life, Make make);

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

  const Topology topology_;
  const std::shared_ptr<const ConditionsModel> conditions_;
  const std::shared_ptr<Executor> executor_;
  const Make make_;
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
