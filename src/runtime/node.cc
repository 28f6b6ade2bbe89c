#include "skein/runtime/node.h"

#include "runtime/aggregating_node.h"

namespace skein {

std::shared_ptr<Node> MakeNode(NodeServices services, NodeOptions options) {
  switch (options.role) {
    case NodeRole::kCoordinator:
      return MakeCoordinatorNode(std::move(services), std::move(options));
    case NodeRole::kAggregator:
      return MakeAggregatorNode(std::move(services), std::move(options));
    case NodeRole::kWorker:
      break;
  }
  return MakeWorkerNode(std::move(services), std::move(options));
}

}  // namespace skein
