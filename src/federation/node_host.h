#ifndef SKEIN_SRC_FEDERATION_NODE_HOST_H_
#define SKEIN_SRC_FEDERATION_NODE_HOST_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/status.h>

#include "skein/runtime/control_link.h"
#include "skein/runtime/node.h"

namespace skein {

// The nodes of one process and their connection to a control plane. Where that has one run, they
// join it and the host ends with them. Where it is for many, the host makes a node for each run
// that one is wanted in, for as long as it is not stopped, and comes back to a control plane that
// was away.
//
// Lives on one executor; its nodes have their own.
class NodeHost : public std::enable_shared_from_this<NodeHost> {
 public:
  struct Options {
    std::vector<NodeId> ids;
    NodeRole role = NodeRole::kWorker;  // of them all; an aggregator may have to be the coordinator
    std::string listen_address;         // inner nodes
    std::string output_dir;  // of coordinators, which write into a directory of the run in it
    std::string state_dir;   // of workers; see NodeOptions
    bool waits = true;       // for a control plane that is not there yet
  };
  // `services` gives each node its own; `dialer` outlives the host.
  NodeHost(Options options, std::shared_ptr<Executor> executor,
           std::shared_ptr<ControlDialer> dialer, std::function<NodeServices()> services);

  // Any thread, once. `on_end` is called on the executor, with the first failure of a node, or why
  // the control plane does not have this host.
  void Start(std::function<void(absl::Status)> on_end);
  // Any thread: kills the nodes and ends.
  void Stop();

 private:
  class Control;
  using Key = std::pair<std::string, NodeId>;  // run and node

  void Connect();
  void OnControl(const ControlMessage& message);
  void OnClosed(const absl::Status& status);
  void StartNode(const std::string& run, const StartNodesMsg::Start& start);
  void OnNodeEnded(const Key& key, const Node* node, const absl::Status& status);
  void EndIfDone();
  void End(const absl::Status& status);

  const Options options_;
  const std::shared_ptr<Executor> executor_;
  const std::shared_ptr<ControlDialer> dialer_;
  const std::function<NodeServices()> services_;
  std::function<void(absl::Status)> on_end_;
  std::shared_ptr<ControlLink> control_;
  uint64_t attempt_ = 0;  // to connect; what earlier ones bring is ignored
  bool answered_ = false;
  std::map<Key, std::shared_ptr<Node>> nodes_;
  std::optional<std::string> only_run_;  // the control plane has no other
  absl::Status first_failure_;
  Duration retry_after_;
  bool said_that_it_waits_ = false;
  bool was_known_ = false;  // to a control plane
  bool stopping_ = false;
};

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_NODE_HOST_H_
