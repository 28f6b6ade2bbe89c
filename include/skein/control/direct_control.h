#ifndef SKEIN_CONTROL_DIRECT_CONTROL_H_
#define SKEIN_CONTROL_DIRECT_CONTROL_H_

#include <memory>

#include "skein/base/time.h"
#include "skein/control/control_plane.h"
#include "skein/runtime/control_link.h"

namespace skein {

// Connects nodes to a control plane in the same process through their executors alone: no gRPC, no
// encoding. With executors of one Simulation everything that happens is a function of its inputs.
// Thread-safe; outlives the links it made.
class DirectControl : public ControlDialer {
 public:
  // Each message takes `latency` on its way, by the clock of the node's executor.
  explicit DirectControl(std::shared_ptr<ControlPlane> plane, Duration latency = Duration(0));
  ~DirectControl() override;

  std::shared_ptr<ControlLink> Connect(std::shared_ptr<Executor> executor,
                                       std::shared_ptr<ControlHandler> handler) override;

  // Breaks the connection of a node, as a network would: messages on their way are lost and both
  // ends are told (Unavailable). No effect if it has none.
  void Cut(const NodeId& node);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace skein

#endif  // SKEIN_CONTROL_DIRECT_CONTROL_H_
